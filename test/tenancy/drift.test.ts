import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { openAuditTrail } from '../../src/tenancy/index.ts'
import type { Change } from '../../src/tenancy/plan/change.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
})
afterAll(() => company.close())

describe('rights that somebody gave by hand', () => {
  it('are taken back without consent, also under the labels of arena: the file never gave them', async () => {
    const role = { namespace: 'dev1', name: 'arena:member' }
    const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['*'] }
    await company.client.patch(kinds.roles, role, {
      type: 'json',
      operations: [{ op: 'add', path: '/rules/-', value: secrets }],
    })
    const given = await company.client.get(kinds.roleBindings, {
      namespace: 'dev1',
      name: 'arena:bob:member',
    })
    const labels = { ...given.metadata.labels }
    for (const [user, home] of [
      ['bob', 'dev1'],
      ['tom', 'dev2'],
    ] as const) {
      await company.client.create(
        kinds.roleBindings,
        {
          metadata: {
            name: `arena:${user}:lead`,
            labels: { ...labels, 'arena.dev/user': user, 'arena.dev/role': 'lead' },
          },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'arena:lead' },
          subjects: [{ kind: 'ServiceAccount', name: user, namespace: home }],
        },
        { namespace: 'dev1' },
      )
    }
    const found = await company.arena('org', 'drift')
    expect(found.out).toMatch(/RoleBinding dev1\/arena:bob:lead: not in the file \(whoever uses "test", at/)
    const mended = await company.arena('org', 'drift', '--repair')
    expect(mended, mended.err).toMatchObject({ status: 0, out: expect.stringContaining('3 changes made') })
    expect((await company.client.get(kinds.roles, role)).rules).not.toContainEqual(secrets)
    expect((await company.arena('org', 'drift')).status).toBe(0)
  })
})

describe('what stands in the way of a repair', () => {
  it('is named, and keeps nothing else from being put right', async () => {
    const role = { namespace: 'dev2', name: 'arena:viewer' }
    await company.client.patch(kinds.roles, role, {
      type: 'merge',
      patch: { metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
    })
    const quota = { namespace: 'dev2', name: 'dev2-compute-resources' }
    await company.client.delete(kinds.resourceQuotas, quota)
    const mended = await company.arena('org', 'drift', '--repair', '--audit-log', 'data/audit.log')
    expect(mended).toMatchObject({
      status: 1,
      out: expect.stringMatching(
        /ResourceQuota dev2\/dev2-compute-resources: missing \(kubernetes-admin, by delete, at /,
      ),
      err: expect.stringMatching(
        /Role dev2\/arena:viewer exists and is managed by "Helm"\nhint: arena made it.*kubectl label roles arena:viewer -n dev2 app/,
      ),
    })
    await company.client.get(kinds.resourceQuotas, quota)
    await company.client.patch(kinds.roles, role, {
      type: 'merge',
      patch: { metadata: { labels: { 'app.kubernetes.io/managed-by': 'arena' } } },
    })
    expect((await company.arena('org', 'drift')).status).toBe(0)
  })
})

describe('arena org drift --watch --repair', () => {
  it('takes back what somebody keeps changing, tells each of them once, and ends quietly', async () => {
    const stop = new AbortController()
    const running = company.run(['org', 'drift', '--watch', '--repair'], { signal: stop.signal })
    const quota = { namespace: 'dev1', name: 'dev1-compute-resources' }
    const signal = AbortSignal.timeout(25_000)
    for (const gpus of ['5', '6', '7']) {
      const watch = company.client.watch(kinds.resourceQuotas, { namespace: 'dev1', signal })
      await company.client.patch(kinds.resourceQuotas, quota, {
        type: 'merge',
        patch: { spec: { hard: { 'requests.nvidia.com/gpu': gpus } } },
      })
      let isChanged = false
      for await (const { object } of watch) {
        const gpu = object.spec?.hard?.['requests.nvidia.com/gpu']
        if (gpu === gpus) isChanged = true
        if (gpu === '1' && isChanged) break
      }
    }
    stop.abort()
    const { status, out, err } = await running
    expect([0, 130], err).toContain(status)
    for (const gpus of ['5', '6', '7'])
      expect(out.match(new RegExp(`spec.hard.requests.nvidia.com/gpu: ${gpus} -> 1`, 'g'))).toHaveLength(1)
  })
})

describe('an audit log', () => {
  const quotas = {
    group: '',
    version: 'v1',
    plural: 'resourcequotas',
    kind: 'ResourceQuota',
    namespaced: true,
  }
  const quota = {
    type: quotas,
    namespace: 'dev1',
    name: 'q',
    labels: {},
    meaning: '',
    details: [],
  }
  const missing: Change = { ...quota, action: 'create' }
  const event = (user: string, minute: number, more: object = {}): string => {
    const { objectRef, ...rest } = { objectRef: {}, ...more }
    return `${JSON.stringify({
      verb: 'update',
      user: { username: user },
      userAgent: 'kubectl/v1',
      objectRef: { resource: 'resourcequotas', namespace: 'dev1', name: 'q', ...objectRef },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: `2026-11-24T07:0${minute}:00.000000Z`,
      ...rest,
    })}\n`
  }

  it('is read on as it grows, from the start when it was rotated, and leaves out what is no news', async () => {
    const path = join(company.directory, 'some.log')
    const trail = openAuditTrail(path)
    const who = async () => [...(await trail.deedsOf([missing])).values()].map(({ user }) => user)
    await expect(who()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    const whole = event('ann', 1)
    await writeFile(path, whole.slice(0, 40))
    expect(await who()).toEqual([])
    await appendFile(path, whole.slice(40))
    expect(await who()).toEqual(['ann'])
    await appendFile(path, event('controller', 2, { objectRef: { subresource: 'status' } }))
    await appendFile(path, event('nobody', 2, { responseStatus: { code: 403 } }))
    await appendFile(path, event('reader', 2, { verb: 'get' }))
    expect(await who()).toEqual(['ann'])
    await rename(path, `${path}.1`)
    await writeFile(path, event('max', 3, { impersonatedUser: { username: 'ann' } }))
    expect(await who()).toEqual(['max as ann'])
    await appendFile(path, event('zoe', 4, { verb: 'deletecollection', objectRef: { name: '' } }))
    expect(await who()).toEqual(['zoe'])
  })
})
