import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { openOrganisation, type TestOrganisation } from '../organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeEach(async () => {
  company = await openOrganisation()
  await company.write(guide)
})
afterEach(() => company.close())

describe('arena org', () => {
  it('shows what is pending, makes it so, and then has nothing to do', async () => {
    const pending = await company.arena('org', 'plan')
    expect(pending.status).toBe(2)
    expect(pending.out).toMatchSnapshot()
    const applied = await company.arena('org', 'apply', '--yes')
    expect(applied.err).toBe('')
    expect(applied.status).toBe(0)
    expect(applied.out.match(/^created /gm)).toHaveLength(28)
    // In one order, however the answers come in: what others need first, each in the order of the plan.
    expect(applied.out).toMatchSnapshot()
    const again = await company.arena('org', 'plan')
    expect(again).toMatchObject({ status: 0, out: expect.stringContaining('nothing to do') })
    expect(await company.arena('org', 'apply')).toMatchObject({
      status: 0,
      out: expect.stringContaining('nothing to do'),
    })
  })

  it('leaves room in the cluster for another organisation', async () => {
    await company.arena('org', 'apply')
    await company.write(
      'organisation: department2\nusers:\n  eve: { uid: 20009 }\ngroups:\n  dev9: { gid: 10009, members: { eve: member } }\n',
    )
    const applied = await company.arena('org', 'apply')
    expect(applied.status, applied.err).toBe(0)
    expect((await company.arena('org', 'plan')).status).toBe(0)
    await company.write(guide)
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('mends what was changed by hand, and leaves the rest of an object alone', async () => {
    await company.arena('org', 'apply')
    await company.client.patch(
      kinds.resourceQuotas,
      { namespace: 'dev2', name: 'dev2-compute-resources' },
      { type: 'merge', patch: { spec: { hard: { pods: '1', 'requests.cpu': '100' } } } },
    )
    await company.client.patch(
      kinds.namespaces,
      { name: 'dev1' },
      {
        type: 'merge',
        patch: {
          metadata: { labels: { team: 'vision', 'pod-security.kubernetes.io/enforce': 'privileged' } },
        },
      },
    )
    await company.client.delete(kinds.roleBindings, { namespace: 'dev1', name: 'arena:bob:member' })
    const plan = await company.arena('org', 'plan')
    expect(plan.out).toContain('spec.hard.pods: 1 -> (none)')
    expect(plan.out).toContain('bob gains the role member in dev1')
    expect(await company.arena('org', 'apply')).toMatchObject({ status: 0 })
    const quota = await company.client.get(kinds.resourceQuotas, {
      namespace: 'dev2',
      name: 'dev2-compute-resources',
    })
    expect(quota.spec?.hard).toEqual({
      'requests.nvidia.com/gpu': '2',
      'requests.cpu': '8',
      'requests.memory': '60Gi',
    })
    const namespace = await company.client.get(kinds.namespaces, { name: 'dev1' })
    expect(namespace.metadata.labels).toMatchObject({
      team: 'vision',
      'pod-security.kubernetes.io/enforce': 'baseline',
    })
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('never touches what it did not make, unless told to take it over', async () => {
    await company.client.create(kinds.namespaces, { metadata: { name: 'dev1' } })
    const refused = await company.arena('org', 'apply')
    expect(refused.status).toBe(1)
    expect(refused.err).toContain('Namespace dev1 exists and was not made by arena')
    const { items } = await company.client.list(kinds.namespaces)
    expect(items.map(({ metadata }) => metadata.name)).not.toContain('dev2')
    const adopted = await company.arena('org', 'apply', '--adopt')
    expect(adopted).toMatchObject({ status: 0, out: expect.stringContaining('taken over Namespace dev1') })
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('refuses objects of another organisation even then', async () => {
    await company.arena('org', 'apply')
    await company.write(guide.replace('department1\n', 'department2\n'))
    const refused = await company.arena('org', 'apply', '--adopt')
    expect(refused.status).toBe(1)
    expect(refused.err).toContain('belongs to organisation "department1"')
  })

  it('takes nothing away without consent', async () => {
    await company.arena('org', 'apply')
    const without = guide
      .replace(/ {2}tom:.*\n/, '')
      .replace(/members: { tom: member }/, 'members: {}')
      .replace(/ {2}dev2-public:[\s\S]*?(?= {2}# The same)/, '')
    await company.write(without)
    const refused = await company.arena('org', 'apply', '--yes')
    expect(refused.status).toBe(1)
    expect(refused.err).toContain('tom can no longer sign in')
    expect(refused.err).toContain('dev2 loses volume dev2-public; the data stays where it is')
    await company.client.get(kinds.serviceAccounts, { namespace: 'dev2', name: 'tom' })
    expect(await company.arena('org', 'apply', '--yes', '--allow-destroy')).toMatchObject({ status: 0 })
    await expect(
      company.client.get(kinds.serviceAccounts, { namespace: 'dev2', name: 'tom' }),
    ).rejects.toMatchObject({ reason: 'NotFound' })
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('changes what somebody may do by the binding alone', async () => {
    await company.arena('org', 'apply')
    await company.write(
      guide.replace('bob: member', 'bob: lead').replace('tom: member', 'tom: member, bob: viewer'),
    )
    const applied = await company.arena('org', 'apply', '-o', 'json')
    expect(applied.status).toBe(0)
    const outcomes = JSON.parse(applied.out).outcomes.filter(
      (outcome: { name: string; kind: string }) => outcome.kind !== 'ServiceAccount',
    )
    expect(
      outcomes.map(
        (each: Record<string, string>) => `${each['action']} ${each['namespace']}/${each['name']}`,
      ),
    ).toEqual(['create dev1/arena:bob:lead', 'create dev2/arena:bob:viewer', 'delete dev1/arena:bob:member'])
  })

  it('goes on where an interrupted run stopped', async () => {
    const stop = new AbortController()
    stop.abort()
    const stopped = await company.run(['org', 'apply'], { signal: stop.signal })
    expect(stopped.status).toBe(130)
    expect(await company.arena('org', 'apply')).toMatchObject({ status: 0 })
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('drops an expired role without asking for consent', async () => {
    await company.write(guide.replace('bob: member', 'bob: { role: member, until: 2026-12-31 }'))
    await company.run(['org', 'apply'], { now: new Date('2026-12-31T12:00:00Z') })
    await company.client.get(kinds.roleBindings, { namespace: 'dev1', name: 'arena:bob:member' })
    const later = await company.run(['org', 'apply'], { now: new Date('2027-01-01T00:00:00Z') })
    expect(later).toMatchObject({ status: 0, out: expect.stringContaining('the grant expired') })
    await expect(
      company.client.get(kinds.roleBindings, { namespace: 'dev1', name: 'arena:bob:member' }),
    ).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('gives a volume a new source only by making it anew', async () => {
    await company.arena('org', 'apply')
    await company.write(guide.replace('path: /dev1', 'path: /elsewhere'))
    const plan = await company.arena('org', 'plan')
    expect(plan.out).toContain('spec.nfs.path: /dev1 -> /elsewhere')
    expect(await company.arena('org', 'apply', '--allow-destroy')).toMatchObject({ status: 0 })
    const volume = await company.client.get(kinds.persistentVolumes, { name: 'dev1-public' })
    expect(volume.spec?.nfs?.path).toBe('/elsewhere')
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })

  it('lists groups and users as the file has them', async () => {
    expect((await company.arena('group', 'list')).out).toMatchSnapshot()
    expect((await company.arena('user', 'list')).out).toMatchSnapshot()
  })
})
