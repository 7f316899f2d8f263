import { execFile } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issueFirstToken, issueStaticToken } from '../../src/credentials/index.ts'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  kinds,
  openHttpsTransport,
  readKubeconfig,
} from '../../src/kube/index.ts'
import { runBuilt } from './built.ts'
import { openOrganisation, type Printed, type TestOrganisation } from './organisation.ts'

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

async function receipt(): Promise<{
  jobs: { name: string; outcome: string; reason?: string }[]
  host: string
}> {
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
    await company.client.create(
      kinds.jobs,
      { metadata: owned('waiting'), spec: { suspend: true, template: forLater('bob') } },
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
    const kept = 'pods that batch makes from now on still name bob: the template of a job that has started'
    expect(handed.err).toContain(`job dev1/batch: handed over (${kept} cannot change)`)
    const jobs = (await receipt()).jobs
    expect(jobs.find(({ name }) => name === 'batch')?.reason).toContain(kept)
    expect(jobs.find(({ name }) => name === 'nightly')).not.toHaveProperty('reason')
    const waiting = await company.client.get(kinds.jobs, at('waiting'))
    expect(waiting.spec?.template.metadata?.labels?.['arena.dev/owner']).toBe('tom')
    const nightly = await company.client.get(kinds.cronJobs, at('nightly'))
    const made = nightly.spec?.jobTemplate.spec?.template.metadata?.labels
    expect(made?.['arena.dev/owner']).toBe('tom')
    await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(await pods()).toEqual([['bob', 'system:serviceaccount:dev1:bob']])
  })
})

describe('credentials of somebody who leaves', () => {
  async function connectWith(token: string): Promise<{ client: KubeClient; close: () => void }> {
    const environment = { KUBECONFIG: company.cluster.adminKubeconfig }
    const { server, certificateAuthority } = await connectionOf(await readKubeconfig({ environment }), {
      environment,
    })
    const { transport, close } = await openHttpsTransport({
      server,
      ...(certificateAuthority !== undefined && { certificateAuthority }),
      token: async () => token,
    })
    return { client: createKubeClient(transport, { fieldManager: 'bob' }), close }
  }

  it('are refused within two seconds, the bound token and the static one, on open connections too', async () => {
    const account = { namespace: 'dev1', name: 'bob' }
    const tokens = [
      await issueFirstToken(company.client, account),
      await issueStaticToken(company.client, account, { labels: {} }),
    ]
    const bobs = await Promise.all(tokens.map(connectWith))
    try {
      const list = ({ client }: { client: KubeClient }) =>
        client.list(kinds.persistentVolumeClaims, { namespace: 'dev1' })
      for (const bob of bobs) expect((await list(bob)).items).not.toEqual([])
      const signal = AbortSignal.timeout(20_000)
      const accounts = company.client.watch(kinds.serviceAccounts, { namespace: 'dev1', signal })
      let removal: Promise<Printed> | undefined
      let begunAt = 0
      for await (const event of accounts) {
        if (event.object.metadata.name !== 'bob') continue
        if (event.type === 'DELETED') break
        if (removal !== undefined) continue
        // Only now, as the watch is open.
        begunAt = performance.now()
        removal = company.arena('user', 'remove', 'bob', '--no-host')
      }
      // The connections have been open since before.
      for (const bob of bobs) await expect(list(bob)).rejects.toMatchObject({ reason: 'Unauthorized' })
      expect(performance.now() - begunAt).toBeLessThan(2000)
      expect((await removal)?.status).toBe(0)
      await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
      // A new account of the name is another one.
      for (const bob of bobs) await expect(list(bob)).rejects.toMatchObject({ reason: 'Unauthorized' })
    } finally {
      for (const { close } of bobs) close()
    }
  })
})

describe('the id of somebody who left', () => {
  it('goes to nobody else, as their files are still there', async () => {
    await company.arena('user', 'add', 'ann', '-g', 'dev1')
    expect(await text()).toContain('ann: { uid: 20003 }')
    await company.arena('user', 'remove', 'ann', '--no-host')
    await company.arena('user', 'add', 'max', '-g', 'dev1')
    expect(await text()).toContain('max: { uid: 20004 }')
    const asked = await company.arena('user', 'add', 'eve', '-g', 'dev1', '--uid', '20003')
    expect(asked).toMatchObject({
      status: 0,
      err: expect.stringContaining('ann, who left, had the id 20003'),
    })
    await company.arena('user', 'remove', 'eve', '--no-host')
    const back = await company.arena('user', 'remove', 'ann', '--undo', '--no-host')
    expect(back.status, back.err).toBe(0)
  })

  it('is not known from a damaged receipt, which is named', async () => {
    await company.arena('user', 'remove', 'bob', '--no-host')
    const receipts = join(company.directory, 'receipts')
    for (const name of await readdir(receipts)) await writeFile(join(receipts, name), '{"half":')
    expect((await company.arena('user', 'add', 'max', '-g', 'dev1')).status).toBe(0)
    expect(await company.arena('user', 'remove', 'bob', '--undo')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/receipt "\S+bob-\S+" is damaged/),
    })
  })
})

describe('a removal that cannot be', () => {
  it('is refused to a member, in words for a member, and nothing changes', async () => {
    await company.arena('user', 'kubeconfig', 'bob', '--static', '-o', 'bob.config')
    const before = await text()
    const asBob = { environment: { KUBECONFIG: join(company.directory, 'bob.config') } }
    const refused = await company.run(['user', 'remove', 'tom', '--no-host'], asBob)
    expect(refused.status).toBe(4)
    expect(refused.err).toContain('only admins change the organisation')
    expect(refused.err).not.toContain('-n GROUP')
    expect(await text()).toBe(before)
    await expect(readdir(join(company.directory, 'receipts'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('says what is wrong with names and times', async () => {
    const remove = async (...typed: string[]) => (await company.arena('user', 'remove', ...typed)).err
    expect(await remove('bbo')).toContain('did you mean "bob"?')
    expect(await remove('bob', '--undo')).toContain('was never removed')
    expect(await remove('bob', '--undo-within', 'week')).toContain('as in: 7d, or 12h30m')
    expect(await remove('bob', 'tom', '--undo')).toContain('"tom" belongs to no flag')
    for (const typed of [
      ['--jobs', 'keep'],
      ['--data', 'keep'],
      ['--undo-within', '2d'],
      ['--root', '/srv'],
    ]) {
      expect(await remove('bob', '--undo', ...typed)).toContain(`${typed[0]} says how somebody leaves`)
    }
    await remove('bob', '--no-host', '--undo-within', '2d')
    expect(await remove('bbo', '--undo')).toMatch(/receipts in \S+ are of: bob/)
    const late = { now: new Date(Date.now() + 3 * 86_400_000) }
    const again = await company.run(['user', 'remove', 'bob'], late)
    expect(again.err).toContain('undoing was possible until')
    expect((await company.run(['user', 'remove', 'bob', '--undo'], late)).err).toContain(
      'could be undone until',
    )
  })

  it('warns of a group that has no lead any more, and of volumes without their owner', async () => {
    await company.write(
      guide
        .replace('{ bob: member }', '{ bob: lead }')
        .replace('access: { dev1: write }', 'access: { dev1: write }\n    owner: bob'),
    )
    await company.arena('org', 'apply', '--allow-destroy')
    const removed = await company.arena('user', 'remove', 'bob', '--no-host')
    expect(removed.err).toContain('group dev1 has no lead any more')
    expect(removed.err).toContain('volume dev1-public still names bob as its owner')
  })
})
