import { once } from 'node:events'
import { appendFile, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { type AuditTrail, openAuditTrail } from '../../src/tenancy/index.ts'
import type { Change } from '../../src/tenancy/plan/change.ts'
import { runBuilt } from './built.ts'
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

describe('a grant whose last day has passed', () => {
  it('is called by that name, and taken by a repair', async () => {
    await company.write(guide.replace('tom: member', 'tom: member, bob: { role: viewer, until: 2099-03-31 }'))
    expect((await company.arena('org', 'apply')).status).toBe(0)
    const now = new Date('2099-04-01T00:00:01Z')
    expect((await company.run(['org', 'drift'], { now })).out).toContain(
      'RoleBinding dev2/arena:bob:viewer: the grant has expired',
    )
    expect((await company.run(['org', 'drift', '--repair'], { now })).status).toBe(0)
    await company.write(guide)
    await company.arena('org', 'apply', '--allow-destroy')
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
    expect(status, err).toBe(0)
    for (const gpus of ['5', '6', '7'])
      expect(out.match(new RegExp(`spec.hard.requests.nvidia.com/gpu: ${gpus} -> 1`, 'g'))).toHaveLength(1)
  })
})

describe('Ctrl-C', () => {
  it('is the normal end of a watch, in a process of its own too', async () => {
    const built = await runBuilt()
    try {
      const world = {
        directory: company.directory,
        environment: { HOME: company.directory, KUBECONFIG: company.cluster.adminKubeconfig },
      }
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        const watching = built.start(['org', 'drift', '--watch', '--repair'], world, 'pipe')
        if (watching.stdout !== null) await once(watching.stdout, 'data')
        const ended = once(watching, 'exit')
        watching.kill(signal)
        expect(await ended).toEqual([0, null])
      }
    } finally {
      await built.remove()
    }
  })

  it('in the middle of a repair finishes what is under way, and ends with 0 as well', async () => {
    const stop = new AbortController()
    const hook = (text: string): void => {
      if (text.includes('gains the role')) stop.abort()
    }
    await company.client.deleteCollection(kinds.roleBindings, { namespace: 'dev1' })
    await company.client.deleteCollection(kinds.resourceQuotas, { namespace: 'dev1' })
    await company.client.deleteCollection(kinds.roles, { namespace: 'dev1' })
    const { status, err } = await company.run(['org', 'drift', '--watch', '--repair'], {
      signal: stop.signal,
      onPrint: hook,
    })
    expect(status, err).toBe(0)
    expect((await company.arena('org', 'apply', '--wait', '0s')).status).toBe(0)
    expect((await company.arena('org', 'drift')).status).toBe(0)
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
  const changed: Change = { ...quota, action: 'update' }
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

  it('is read on as it grows and leaves out what is no news', async () => {
    const path = join(company.directory, 'some.log')
    const trail = openAuditTrail(path)
    const who = whoIn(trail)
    await expect(who()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    const whole = event('ann', 1)
    await writeFile(path, whole.slice(0, 40))
    expect(await who()).toEqual([])
    await appendFile(path, whole.slice(40))
    expect(await who()).toEqual(['ann'])
    await appendFile(path, event('controller', 2, { objectRef: { subresource: 'status' } }))
    await appendFile(path, event('nobody', 2, { responseStatus: { code: 403 } }))
    await appendFile(path, event('nobody', 2, { stage: 'RequestReceived', responseStatus: undefined }))
    const dryRun = '/api/v1/namespaces/dev1/resourcequotas/q?dryRun=All&fieldManager=kubectl'
    await appendFile(path, event('careful', 2, { requestURI: dryRun }))
    await appendFile(path, event('reader', 2, { verb: 'get' }))
    expect(await who()).toEqual(['ann'])
    await appendFile(path, event('max', 3, { impersonatedUser: { username: 'ann' } }))
    expect(await who()).toEqual(['max as ann'])
    expect(await whoIn(trail, missing)()).toEqual([])
    await appendFile(path, event('zoe', 4, { verb: 'deletecollection', objectRef: { name: '' } }))
    expect(await whoIn(trail, missing)()).toEqual(['zoe'])
    await writeFile(path, event('sue', 5))
    expect(await who()).toEqual(['sue'])
  })

  it('is read through what was put aside between two looks, however often', async () => {
    const path = join(company.directory, 'rotated.log')
    const trail = openAuditTrail(path)
    await writeFile(path, event('ann', 1))
    expect(await whoIn(trail)()).toEqual(['ann'])
    await appendFile(path, event('bob', 2))
    await rename(path, `${path}.1`)
    expect(await whoIn(trail)()).toEqual(['bob'])
    await writeFile(path, event('eve', 3))
    await rename(`${path}.1`, `${path}.2`)
    await rename(path, `${path}.1`)
    await writeFile(path, event('other', 4, { objectRef: { name: 'other' } }))
    expect(await whoIn(trail)()).toEqual(['eve'])
  })

  it('is searched backwards at the first look, as Kubernetes puts it aside too', async () => {
    const path = join(company.directory, 'kube-audit.log')
    const aside = (time: string): string => path.replace('.log', `-2026-11-24T${time}.log`)
    await writeFile(`${aside('07-02-00.000')}.gz`, gzipSync(event('ann', 1)))
    await writeFile(aside('07-03-00.000'), event('other', 2, { objectRef: { name: 'other' } }))
    await writeFile(path.replace('.log', '-old.log'), event('somebody', 5))
    await utimes(`${aside('07-02-00.000')}.gz`, 1, 1)
    await writeFile(path, event('other', 3, { objectRef: { name: 'other' } }))
    expect(await whoIn(openAuditTrail(path))()).toEqual(['ann'])
  })

  const whoIn =
    (trail: AuditTrail, change = changed) =>
    async () =>
      [...(await trail.deedsOf([change])).values()].map(({ user }) => user)
})

describe('who did it', () => {
  it('is told by a cluster that puts its audit log aside all the time', async () => {
    const busy = await openOrganisation({ audit: { enabled: true, maxMegabytes: 0.01, maxFiles: 50 } })
    try {
      await busy.write(guide)
      await busy.arena('org', 'apply')
      const quota = { namespace: 'dev1', name: 'dev1-compute-resources' }
      const stop = new AbortController()
      const signal = AbortSignal.timeout(25_000)
      const watching = busy.run(['org', 'drift', '--watch', '--repair', '--audit-log', 'data/audit.log'], {
        signal: stop.signal,
      })
      const log = join(busy.directory, 'data/audit.log')
      for (const gpus of ['5', '6']) {
        const { metadata } = await busy.client.patch(kinds.resourceQuotas, quota, {
          type: 'merge',
          patch: { spec: { hard: { 'requests.nvidia.com/gpu': gpus } } },
        })
        const { resourceVersion } = metadata
        // Enough to put several files aside before, and while, somebody looks.
        const words = { data: { words: 'x'.repeat(2000) } }
        for (let number = 0; number < 30; number += 1) {
          const name = `noise-${gpus}-${number}`
          await busy.client.create(
            kinds.configMaps,
            { metadata: { name }, ...words },
            { namespace: 'default' },
          )
        }
        const watch = busy.client.watch(kinds.resourceQuotas, { namespace: 'dev1', resourceVersion, signal })
        for await (const { object } of watch) {
          if (object.spec?.hard?.['requests.nvidia.com/gpu'] === '1') break
        }
      }
      stop.abort()
      const { out } = await watching
      await stat(`${log}.3`)
      const told = out.match(
        /ResourceQuota dev1\/dev1-compute-resources: changed \(kubernetes-admin, by patch/g,
      )
      expect(told, out).toHaveLength(2)
    } finally {
      await busy.close()
    }
  })
})
