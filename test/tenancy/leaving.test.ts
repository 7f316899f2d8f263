import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { runBuilt } from './built.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const run = promisify(execFile)
const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeEach(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
})
afterEach(() => company.close())

const owned = (name: string) => ({ name, labels: { 'arena.dev/owner': 'bob' } })
const at = (name: string) => ({ namespace: 'dev1', name })
const template = {
  spec: {
    restartPolicy: 'Never' as const,
    containers: [
      {
        name: 'main',
        image: 'x',
        resources: { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '1', memory: '1Mi' } },
      },
    ],
  },
}

async function startEverything(): Promise<void> {
  const where = { namespace: 'dev1' }
  await company.client.create(
    kinds.tfJobs,
    {
      apiVersion: 'kubeflow.org/v1',
      kind: 'TFJob',
      metadata: owned('training'),
      spec: { runPolicy: { suspend: true }, tfReplicaSpecs: { Worker: { replicas: 1, template } } },
    },
    where,
  )
  await company.client.create(
    kinds.jobs,
    { metadata: owned('batch'), spec: { suspend: true, template } },
    where,
  )
  await company.client.create(
    kinds.cronJobs,
    {
      metadata: owned('nightly'),
      spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template } } },
    },
    where,
  )
}

async function receipt(): Promise<{ jobs: { name: string; outcome: string }[]; host: string }> {
  const names = await readdir(join(company.directory, 'receipts'))
  return JSON.parse(await readFile(join(company.directory, 'receipts', names.sort().at(-1) ?? ''), 'utf8'))
}

describe('arena user remove', () => {
  it.each([1, 3, 5])(
    'that was killed after %i lines is finished by running it again, as decided the first time',
    async (lines) => {
      await startEverything()
      const program = await runBuilt()
      try {
        const typed = ['user', 'remove', 'bob', '--no-host', '--jobs', 'hand-to', 'tom']
        await program.killAfter(lines, typed, {
          directory: company.directory,
          environment: { HOME: company.directory, KUBECONFIG: company.cluster.adminKubeconfig },
        })
      } finally {
        await program.remove()
      }
      const again = await company.arena('user', 'remove', 'bob', '--no-host')
      expect(again.status, again.err).toBe(0)
      expect(again.err).toContain('going on with the removal of bob')
      const { jobs, host } = await receipt()
      expect(host).toBe('left alone')
      expect(jobs.map(({ name, outcome }) => [name, outcome]).sort()).toEqual([
        ['batch', 'handed over'],
        ['nightly', 'handed over'],
        ['training', 'handed over'],
      ])
      const job = await company.client.get(kinds.jobs, at('batch'))
      expect(job.metadata.labels?.['arena.dev/owner']).toBe('tom')
      expect((await company.arena('org', 'plan')).out).toContain('nothing to do')
      const finished = await company.arena('user', 'remove', 'bob', '--no-host')
      expect(finished).toMatchObject({ status: 3, err: expect.stringContaining('was removed at') })
    },
  )

  it('stops batch jobs and cron jobs as well, and gives handed ones of every kind back with undo', async () => {
    await startEverything()
    await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'hand-to', 'tom')
    const cronJob = await company.client.get(kinds.cronJobs, at('nightly'))
    expect(cronJob.metadata.labels?.['arena.dev/owner']).toBe('tom')
    const back = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(back.status, back.err).toBe(0)
    const given = await company.client.get(kinds.cronJobs, at('nightly'))
    expect(given.metadata.labels?.['arena.dev/owner']).toBe('bob')
    const stopped = await company.arena('user', 'remove', 'bob', '--no-host')
    expect(stopped.err).toContain('job dev1/nightly: stopped')
    expect(stopped.err).toContain('job dev1/batch: stopped')
    await expect(company.client.get(kinds.cronJobs, at('nightly'))).rejects.toMatchObject({
      reason: 'NotFound',
    })
    expect(await company.arena('user', 'remove', 'nobody')).toMatchObject({ status: 3 })
  })
})

const commented = `organisation: department1

users:
  # On leave in spring.
  ann: { uid: 20003 }
  # Came from the other building.
  bob:
    uid: 20001
    name: Bob B # not Robert
  tom: { uid: 20002 }

groups:
  dev1:
    gid: 10001
    members:
      bob: member # until the review
      ann: lead
  dev2:
    gid: 10002
    members: { bob: viewer, tom: member }
`
const text = (): Promise<string> => readFile(join(company.directory, 'org.yaml'), 'utf8')

describe('arena user remove --undo', () => {
  it('puts the entries back where they were, with their comments', async () => {
    await company.write(commented)
    await company.arena('org', 'apply', '--allow-destroy')
    await company.arena('user', 'remove', 'bob', '--no-host')
    expect(await text()).not.toContain('bob')
    const back = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(back.status, back.err).toBe(0)
    expect(await text()).toBe(commented)

    await company.arena('user', 'remove', 'bob', '--no-host')
    await company.arena('user', 'add', 'eve', '--group', 'dev2')
    const later = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(later.status, later.err).toBe(0)
    expect(await text()).toContain(
      '  # Came from the other building.\n  bob:\n    uid: 20001\n    name: Bob B # not',
    )
    expect(await text()).toContain('      bob: member # until the review\n      ann: lead\n')
    expect(later.err).toContain('at the end of their section now, without comments: groups.dev2.members.bob')
    expect(await text()).toContain('members: { tom: member, eve: member, bob: viewer }')
  })

  it('says which jobs were stopped, and has kept what starts them anew', async () => {
    await startEverything()
    await company.client.create(
      kinds.pods,
      { metadata: owned('shell'), spec: { ...template.spec, nodeSelector: { none: 'such' } } },
      { namespace: 'dev1' },
    )
    await company.arena('user', 'remove', 'bob', '--no-host')
    const back = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    const [, directory = ''] = /kubectl create -f (\S+)/.exec(back.err) ?? []
    expect(back.err).toContain('stopped, and not brought back: ')
    const kept = await readdir(directory)
    expect(kept.sort()).toEqual([
      'dev1-cronjob-nightly.json',
      'dev1-job-batch.json',
      'dev1-pod-shell.json',
      'dev1-tfjob-training.json',
    ])
    for (const name of kept) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    await run('kubectl', ['create', '-f', directory], {
      env: { ...process.env, KUBECONFIG: company.cluster.adminKubeconfig },
    })
    const job = await company.client.get(kinds.jobs, at('batch'))
    expect(job.metadata.labels?.['arena.dev/owner']).toBe('bob')
    await company.client.get(kinds.tfJobs, at('training'))
  })

  it('that was interrupted goes on, and is refused once it is done', async () => {
    await startEverything()
    const before = await text()
    await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'hand-to', 'tom')
    // As a kill right after the file had changed leaves it.
    await company.write(before)
    const back = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(back.status, back.err).toBe(0)
    await company.client.get(kinds.serviceAccounts, { namespace: 'dev1', name: 'bob' })
    const job = await company.client.get(kinds.jobs, at('batch'))
    expect(job.metadata.labels?.['arena.dev/owner']).toBe('bob')
    const twice = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(twice).toMatchObject({ status: 1, err: expect.stringContaining('they have been back since') })
  })
})

const forLater = (owner: string) => ({
  metadata: { labels: { 'arena.dev/owner': owner } },
  spec: { ...template.spec, nodeSelector: { none: 'such' } },
})

describe('what is handed over', () => {
  it('takes its pods along, those that are there and those to come, and brings them back', async () => {
    const signal = AbortSignal.timeout(20_000)
    const watch = company.client.watch(kinds.pods, { namespace: 'dev1', signal })
    await company.client.create(
      kinds.jobs,
      { metadata: owned('batch'), spec: { template: forLater('bob') } },
      { namespace: 'dev1' },
    )
    await company.client.create(
      kinds.cronJobs,
      {
        metadata: owned('nightly'),
        spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template: forLater('bob') } } },
      },
      { namespace: 'dev1' },
    )
    for await (const event of watch) if (event.type === 'ADDED') break
    const pods = async () => {
      const { items } = await company.client.list(kinds.pods, { namespace: 'dev1' })
      return items.map(({ metadata }) => [
        metadata.labels?.['arena.dev/owner'],
        metadata.annotations?.['arena.dev/username'],
      ])
    }
    const handed = await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'hand-to', 'tom')
    expect(handed.status, handed.err).toBe(0)
    expect(await pods()).toEqual([['tom', 'system:serviceaccount:dev2:tom']])
    const nightly = await company.client.get(kinds.cronJobs, at('nightly'))
    const made = nightly.spec?.jobTemplate.spec?.template.metadata?.labels
    expect(made?.['arena.dev/owner']).toBe('tom')
    await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(await pods()).toEqual([['bob', 'system:serviceaccount:dev1:bob']])
  })
})
