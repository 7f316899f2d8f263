import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ApiOfKinds, causesOf, messageOf, startApi } from '../../http/kinds/cluster.ts'
import {
  type Certificates,
  certificatesFor,
  configuration,
  group,
  patchAnswer,
  startWebhook,
  webhook,
  type WebhookServer,
} from './server.ts'

const configurations = `${group}/mutatingwebhookconfigurations`
const validating = `${group}/validatingwebhookconfigurations`
const maps = '/api/v1/namespaces/team/configmaps'
const name = 'change.hooks.example'
const podRule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }
const label = (key: string, value = 'yes'): object => ({ op: 'add', path: `/metadata/labels/${key}`, value })

describe('mutating webhooks', () => {
  let api: ApiOfKinds
  let certificates: Certificates
  let hook: WebhookServer
  let made = 0

  beforeAll(async () => {
    api = await startApi()
    certificates = await certificatesFor()
    await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'team' } })
    // There already, or soon to be: pods need it.
    await api.send('POST', '/api/v1/namespaces/team/serviceaccounts', { metadata: { name: 'default' } })
  })
  afterAll(() => api.close())
  beforeEach(async () => {
    hook = await startWebhook(certificates)
  })
  afterEach(async () => {
    await api.send('DELETE', configurations)
    await api.send('DELETE', validating)
    await hook.close()
  })

  const at = (path: string): object => ({ url: hook.url + path, caBundle: certificates.caBundle })
  const register = async (...webhooks: object[]): Promise<void> => {
    const answer = await api.send('POST', configurations, configuration('Mutating', 'c', ...webhooks))
    expect(answer.status, messageOf(answer)).toBe(201)
  }
  const create = (metadata: object = { name: `m${++made}` }, query = ''): Promise<Answer> =>
    api.send('POST', maps + query, { metadata: { labels: { own: 'yes' }, ...metadata }, data: { a: '1' } })

  it('change what is written, one after the other, by name of their configurations', async () => {
    await api.send('POST', configurations, configuration('Mutating', 'b', webhook(name, at('/third'))))
    const two = [webhook('z.hooks.example', at('/first')), webhook(name, at('/second'))]
    await api.send('POST', configurations, configuration('Mutating', 'a', ...two))
    hook.answer = (_asked, path) => patchAnswer([label(path.slice(1).split('?')[0] ?? '')])
    const answer = await create()
    expect(answer.body).toMatchObject({ metadata: { labels: { first: 'yes', second: 'yes', third: 'yes' } } })
    expect(hook.paths).toEqual(['/first?timeout=10s', '/second?timeout=10s', '/third?timeout=10s'])
    expect(hook.reviews[2]?.request['object']).toMatchObject({
      kind: 'ConfigMap',
      metadata: { labels: { first: 'yes', second: 'yes' } },
    })
  })

  it('have what they write given its defaults, looked at by the steps before, and checked', async () => {
    await api.send('POST', '/api/v1/namespaces/team/limitranges', {
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', default: { cpu: '100m' } }] },
    })
    await register(webhook(name, at(''), { rules: [podRule] }))
    const side = { name: 'side', image: 'side:1' }
    hook.answer = () => patchAnswer([{ op: 'add', path: '/spec/containers/-', value: side }])
    const pods = '/api/v1/namespaces/team/pods'
    const pod = (one: string): object => ({
      metadata: { name: one },
      spec: { containers: [{ name: 'm', image: 'i' }] },
    })
    const answer = await api.send('POST', pods, pod('p'))
    expect(answer.status, messageOf(answer)).toBe(201)
    expect(answer.body).toMatchObject({
      spec: {
        containers: [
          { name: 'm' },
          {
            ...side,
            imagePullPolicy: 'IfNotPresent',
            resources: { limits: { cpu: '100m' } },
            volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          },
        ],
      },
    })
    hook.answer = () => patchAnswer([{ op: 'add', path: '/spec/containers/-', value: { name: 'No!' } }])
    const refused = await api.send('POST', pods, pod('q'))
    expect(refused.status).toBe(422)
    expect(causesOf(refused).map(([field]) => field)).toContain('spec.containers[1].image')
  })

  it('are asked once more when others have changed what they saw, if they want to be', async () => {
    await register(
      webhook('a.hooks.example', at('/willing'), { reinvocationPolicy: 'IfNeeded' }),
      webhook('b.hooks.example', at('/never')),
      webhook('c.hooks.example', at('/changes'), { reinvocationPolicy: 'IfNeeded' }),
    )
    hook.answer = (_asked, path) =>
      path.startsWith('/changes') ? patchAnswer([label('changed')]) : { allowed: true }
    expect((await create()).body).toMatchObject({ metadata: { labels: { changed: 'yes' } } })
    expect(hook.paths.map((path) => path.split('?')[0])).toEqual([
      '/willing',
      '/never',
      '/changes',
      '/willing',
    ])
    expect(hook.reviews[3]?.request['object']).toMatchObject({ metadata: { labels: { changed: 'yes' } } })
    hook.paths.splice(0)
    hook.answer = () => patchAnswer([{ op: 'test', path: '/data/a', value: '1' }])
    await create()
    expect(hook.paths).toHaveLength(3)
  })

  it('come before what only looks, which sees their work', async () => {
    await register(webhook(name, at('/change')))
    await api.send('POST', validating, configuration('Validating', 'c', webhook(name, at('/look'))))
    hook.answer = (_asked, path) =>
      path.startsWith('/change') ? patchAnswer([label('changed')]) : { allowed: true }
    const answer = await create({ generateName: 'made-' })
    expect(answer.status).toBe(201)
    const [change, look] = hook.reviews.map(({ request }) => request)
    expect(change).not.toHaveProperty('name')
    expect(change?.['object']).not.toHaveProperty('metadata.name')
    expect(look).not.toHaveProperty('name')
    expect(look?.['object']).toMatchObject({
      metadata: { name: expect.stringMatching(/^made-.{5}$/), labels: { changed: 'yes' } },
    })
  })

  it.each<[string, () => object, string]>([
    [
      'a place that is not there',
      () => patchAnswer([{ op: 'add', path: '/spec/x/y', value: 1 }]),
      'Internal error occurred: add operation does not apply: doc is missing path: "/spec/x/y": missing value',
    ],
    [
      'a field that is not there',
      () => patchAnswer([label('fine'), { op: 'replace', path: '/immutable', value: 1 }]),
      'Internal error occurred: replace operation does not apply: doc is missing key: /immutable: missing value',
    ],
    [
      'a wrong type',
      () => patchAnswer([{ op: 'add', path: '/data', value: 'text' }]),
      'Internal error occurred: json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'an object',
      () => ({ allowed: true, patchType: 'JSONPatch', patch: Buffer.from('{}').toString('base64') }),
      `Internal error occurred: failed calling webhook "${name}": received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch`,
    ],
    [
      'another kind of patch',
      () => ({ allowed: true, patchType: 'Merge', patch: Buffer.from('{}').toString('base64') }),
      `Internal error occurred: failed calling webhook "${name}": unsupported patch type "Merge"`,
    ],
    [
      'a patch without its type',
      () => ({ allowed: true, patch: Buffer.from('[]').toString('base64') }),
      `Internal error occurred: failed calling webhook "${name}": received invalid webhook response: webhook returned response.patch but not response.patchType`,
    ],
    [
      'no base64',
      () => ({ allowed: true, patchType: 'JSONPatch', patch: '[{}]' }),
      `Internal error occurred: failed calling webhook "${name}": failed to call webhook: illegal base64 data at input byte 0`,
    ],
  ])('are refused when they patch with %s', async (_what, answer, message) => {
    await register(webhook(name, at('')))
    hook.answer = answer
    expect(await create()).toMatchObject({ status: 500, body: { message } })
  })

  it('cannot change what is deleted, nor move it, nor touch what a request may not', async () => {
    const deployments = '/apis/apps/v1/namespaces/team/deployments'
    const rule = { apiGroups: ['apps'], apiVersions: ['*'], operations: ['*'], resources: ['deployments'] }
    await api.send('POST', deployments, {
      metadata: { name: 'd' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'm', image: 'i' }] } },
      },
    })
    await register(webhook(name, at(''), { rules: [rule] }))
    hook.answer = () => patchAnswer([{ op: 'add', path: '/status/readyReplicas', value: 7 }])
    const merge = { type: 'application/merge-patch+json' }
    const patched = await api.send('PATCH', `${deployments}/d`, { spec: { paused: true } }, merge)
    expect(patched.body).toMatchObject({ spec: { paused: true } })
    expect(patched.body['status']).not.toHaveProperty('readyReplicas')
    hook.answer = () => patchAnswer([{ op: 'replace', path: '/metadata/namespace', value: 'default' }])
    expect((await api.send('PATCH', `${deployments}/d`, { spec: { paused: false } }, merge)).status).toBe(422)
    hook.answer = () => patchAnswer([{ op: 'add', path: '/x', value: 1 }])
    expect(messageOf(await api.send('DELETE', `${deployments}/d`))).toBe(
      `Internal error occurred: admission webhook "${name}" attempted to modify the object, which is not supported for this operation`,
    )
    await api.send('DELETE', configurations)
    await register(webhook(name, at('')))
    hook.answer = () => patchAnswer([{ op: 'replace', path: '/metadata/namespace', value: 'default' }])
    expect((await create()).status).toBe(400)
  })

  it('see a new scale as what it is, and may change it', async () => {
    const deployments = '/apis/apps/v1/namespaces/team/deployments'
    await api.send('POST', deployments, {
      metadata: { name: 'scaled' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { s: 's' } },
        template: { metadata: { labels: { s: 's' } }, spec: { containers: [{ name: 'm', image: 'i' }] } },
      },
    })
    const rules = [
      { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments/scale'] },
    ]
    await register(webhook(name, at(''), { rules }))
    hook.answer = () => patchAnswer([{ op: 'replace', path: '/spec/replicas', value: 0 }])
    const merge = { type: 'application/merge-patch+json' }
    const scale = { spec: { replicas: 5 } }
    const answer = await api.send('PATCH', `${deployments}/scaled/scale`, scale, merge)
    expect(answer.body).toMatchObject({ kind: 'Scale', spec: {} })
    expect(hook.reviews[0]?.request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      subResource: 'scale',
      requestSubResource: 'scale',
      name: 'scaled',
      object: { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 5 } },
      oldObject: { kind: 'Scale', spec: { replicas: 0 } },
    })
    hook.answer = () => ({ allowed: false })
    expect((await api.send('PATCH', `${deployments}/scaled/scale`, scale, merge)).status).toBe(400)
    // Whoever looks at deployments alone is not asked.
    expect((await api.send('PATCH', `${deployments}/scaled`, { spec: { paused: true } }, merge)).status).toBe(
      200,
    )
    expect((await api.send('GET', `${deployments}/scaled`)).body).toMatchObject({
      spec: { replicas: 0, paused: true },
    })
  })

  it('see custom resources in the version that their rules name', async () => {
    const version = (one: string, storage: boolean): object => ({
      name: one,
      served: true,
      storage,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              properties: { size: { type: 'integer' }, color: { type: 'string', default: 'red' } },
            },
          },
        },
      },
    })
    await api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.hooks.example' },
      spec: {
        group: 'hooks.example',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [version('v1', true), version('v1beta1', false)],
      },
    })
    const things = '/apis/hooks.example/v1beta1/namespaces/team/things'
    await expect.poll(async () => (await api.send('GET', things)).status, { timeout: 20_000 }).toBe(200)
    const rule = {
      apiGroups: ['hooks.example'],
      apiVersions: ['v1'],
      operations: ['CREATE'],
      resources: ['things'],
    }
    await register(
      webhook('exact.hooks.example', at('/exact'), { rules: [rule], matchPolicy: 'Exact' }),
      webhook(name, at('/equivalent'), { rules: [rule] }),
    )
    hook.answer = () => patchAnswer([{ op: 'replace', path: '/spec/size', value: 2 }])
    const thing = {
      apiVersion: 'hooks.example/v1beta1',
      kind: 'Thing',
      metadata: { name: 't' },
      spec: { size: 1 },
    }
    const answer = await api.send('POST', things, thing)
    expect(answer.body).toMatchObject({
      apiVersion: 'hooks.example/v1beta1',
      spec: { size: 2, color: 'red' },
    })
    expect(hook.paths).toEqual(['/equivalent?timeout=10s'])
    const resource = { group: 'hooks.example', resource: 'things' }
    expect(hook.reviews[0]?.request).toMatchObject({
      kind: { group: 'hooks.example', version: 'v1', kind: 'Thing' },
      resource: { ...resource, version: 'v1' },
      requestKind: { group: 'hooks.example', version: 'v1beta1', kind: 'Thing' },
      requestResource: { ...resource, version: 'v1beta1' },
      object: { apiVersion: 'hooks.example/v1', spec: { size: 1 } },
    })
  })

  it('are left alone by who only tries, when they cannot stand it', async () => {
    await register(webhook(name, at(''), { sideEffects: 'NoneOnDryRun' }))
    hook.answer = () => patchAnswer([label('tried')])
    const answer = await create({ name: 'dry' }, '?dryRun=All')
    expect(answer.body).toMatchObject({ metadata: { labels: { tried: 'yes' } } })
    expect(hook.reviews[0]?.request).toMatchObject({
      dryRun: true,
      options: { kind: 'CreateOptions', dryRun: ['All'] },
    })
    expect((await api.send('GET', `${maps}/dry`)).status).toBe(404)
  })
})
