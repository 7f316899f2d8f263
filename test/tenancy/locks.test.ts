import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds, microTimestamp } from '../../src/kube/index.ts'
import { withOrganisationLock } from '../../src/tenancy/index.ts'
import { type BuiltProgram, runBuilt } from './built.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation
let built: BuiltProgram

beforeAll(async () => {
  ;[company, built] = await Promise.all([openOrganisation(), runBuilt()])
  await company.write(guide)
  const applied = await company.arena('org', 'apply')
  expect(applied.status, applied.err).toBe(0)
})
afterAll(() => Promise.all([company.close(), built.remove()]))

const lease = { namespace: 'arena-system', name: 'organisation.department1' }
const file = (): Promise<string> => readFile(join(company.directory, 'org.yaml'), 'utf8')
const ask = { what: 'org apply', patienceMs: 0 }

async function gpusOf(group: string): Promise<string | undefined> {
  const name = `${group}-compute-resources`
  const quota = await company.client.get(kinds.resourceQuotas, { namespace: group, name })
  return quota.spec?.hard?.['requests.nvidia.com/gpu']
}

async function hold(holderIdentity: string, renewedMs: number): Promise<void> {
  const holder = { pid: 4711, host: 'client01', what: 'org apply', since: '2026-11-24T07:01:02.000Z' }
  await company.client.patch(kinds.leases, lease, {
    type: 'merge',
    patch: {
      metadata: { annotations: { 'arena.dev/holder': JSON.stringify(holder) } },
      spec: { holderIdentity, renewTime: microTimestamp(renewedMs) },
    },
  })
}

describe('commands that change the organisation at the same time', () => {
  it('take turns, each from the file as it is then: nobody is lost, in the file or in the cluster', async () => {
    const names = ['ann', 'eve', 'max', 'zoe']
    const world = {
      directory: company.directory,
      environment: {
        HOME: company.directory,
        KUBECONFIG: company.cluster.adminKubeconfig,
        PATH: process.env['PATH'] ?? '',
      },
    }
    const running = names.map((name) =>
      built.start(['user', 'add', name, '-g', 'dev1', '--wait', '60s'], world),
    )
    const ends = await Promise.all(running.map((child) => once(child, 'exit')))
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0, 0])
    const text = await file()
    const ids = names.map((name) => new RegExp(`${name}: { uid: (\\d+) }`).exec(text)?.[1])
    expect(new Set(ids)).toEqual(new Set(['20003', '20004', '20005', '20006']))
    for (const name of names) {
      await company.client.get(kinds.serviceAccounts, { namespace: 'dev1', name })
    }
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('leave the cluster as one of their files says, never as a mixture', async () => {
    const text = await file()
    await company.write(text.replace('gpu: 1 }', 'gpu: 5 }').replace('gpu: 2,', 'gpu: 5,'))
    const five = await company.arena('org', 'plan', '--plan-out', 'five.json')
    expect(five.status).toBe(2)
    await company.write(text.replace('gpu: 1 }', 'gpu: 6 }').replace('gpu: 2,', 'gpu: 6,'))
    const both = await Promise.all([
      company.arena('org', 'apply', '--plan', 'five.json', '-o', 'json'),
      company.arena('org', 'apply', '--wait', '60s'),
    ])
    expect(both[1].status, both[1].err).toBe(0)
    expect([await gpusOf('dev1'), await gpusOf('dev2')]).toEqual(['6', '6'])
    await company.write(text)
    await company.arena('org', 'apply')
  })

  it('wait for each other and, when that takes too long, say for whom', async () => {
    await withOrganisationLock(company.client, 'department1', ask, async () => {
      const refused = await company.arena('group', 'set-quota', 'dev1', 'gpu=7', '--wait', '0s')
      expect(refused).toMatchObject({
        status: 1,
        err: expect.stringMatching(
          /waiting for "arena org apply" \(process \d+ on .*\) since 20.*\n.*organisation "department1" is being changed by "arena org apply"/,
        ),
      })
    })
    expect(await file()).not.toContain('gpu: 7')
    expect(await gpusOf('dev1')).toBe('1')
  })
})

describe('the lock of an organisation', () => {
  it('is let go with the command', async () => {
    const { spec } = await company.client.get(kinds.leases, lease)
    expect(spec?.holderIdentity).toBe('')
  })

  it('of another machine holds while its holder may live', async () => {
    await hold('0badcafe-4711-1-abc', Date.now())
    const refused = await company.arena('org', 'apply', '--wait', '0s')
    expect(refused.err).toContain(
      '"arena org apply" (process 4711 on client01) since 2026-11-24T07:01:02.000Z',
    )
    await hold('0badcafe-4711-1-abc', Date.now() - 6 * 60_000)
    expect((await company.arena('org', 'apply', '--wait', '0s')).status).toBe(0)
  })

  it('of another machine that gives no sign of life is taken over within the usual patience', async () => {
    await hold('0badcafe-4711-1-abc', Date.now())
    const applied = await company.arena('org', 'apply')
    expect(applied, applied.err).toMatchObject({ status: 0, err: expect.stringContaining('waiting for') })
  })

  it('stops whoever lost it, as after a long sleep', async () => {
    const lost = withOrganisationLock(company.client, 'department1', ask, async ({ signal }) => {
      await hold('0badcafe-4711-1-abc', Date.now())
      await once(signal, 'abort')
      signal.throwIfAborted()
    })
    await expect(lost).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining('process 4711 on client01'),
    })
    await hold('', Date.now())
  })

  it('is free while a question is open, and the answer counts only when nobody used that', async () => {
    const other = () =>
      withOrganisationLock(company.client, 'department1', ask, () => Promise.resolve('done'))
    const answered = withOrganisationLock(company.client, 'department1', ask, ({ openFor }) =>
      openFor(() => Promise.resolve('yes')),
    )
    expect(await answered).toBe('yes')
    const late = withOrganisationLock(company.client, 'department1', ask, ({ openFor }) => openFor(other))
    await expect(late).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('while the question was open'),
    })
    expect(await other()).toBe('done')
  })
})
