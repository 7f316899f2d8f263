import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Answer, type ApiOfKinds, causesOf, messageOf, startApi } from './cluster.ts'
import { apply, bindings, enforce, json, policies, rule } from './mutating.ts'

let api: ApiOfKinds
const configMaps = '/api/v1/namespaces/default/configmaps'
const pods = '/api/v1/namespaces/default/pods'
const merge = { type: 'application/merge-patch+json' }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())
beforeEach(async () => {
  for (const path of [bindings, policies, configMaps, pods]) await api.send('DELETE', path)
})

const configMap = (name: string, data: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})
const create = (name: string, data?: object, metadata?: object): Promise<Answer> =>
  api.send('POST', configMaps, configMap(name, data, metadata))

test('a configuration is merged into the object by the types of its lists', async () => {
  await enforce(
    api,
    'sidecar',
    [
      apply(`Object{
        spec: Object.spec{
          initContainers: [
            Object.spec.initContainers{name: "proxy", image: variables.image, restartPolicy: "Always"}
          ],
          ?hostname: object.spec.?hostname.orValue("") == "" ? optional.of("set") : optional.none()
        }
      }`),
    ],
    {
      matchConstraints: { resourceRules: [rule('pods')] },
      matchConditions: [
        {
          name: 'not-yet',
          expression: '!object.spec.?initContainers.orValue([]).exists(c, c.name == "proxy")',
        },
      ],
      variables: [{ name: 'image', expression: '"proxy:" + object.metadata.labels.version' }],
    },
  )
  const sent = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels: { version: '2' } },
    spec: { initContainers: [{ name: 'first', image: 'i' }], containers: [{ name: 'main', image: 'i' }] },
  }
  const made = await api.send('POST', pods, sent)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  expect(made.body).toMatchObject({
    spec: {
      hostname: 'set',
      initContainers: [
        { name: 'first', imagePullPolicy: 'Always' },
        // What a policy adds gets its defaults, and what other steps of admission give, as all else.
        {
          name: 'proxy',
          image: 'proxy:2',
          restartPolicy: 'Always',
          terminationMessagePolicy: 'File',
          volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
        },
      ],
    },
  })
})

test('what a policy makes of an object is checked like all else', async () => {
  await enforce(api, 'wrong', [apply('Object{spec: Object.spec{hostname: "not a name"}}')], {
    matchConstraints: { resourceRules: [rule('pods')] },
  })
  const made = await api.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'i' }] },
  })
  expect(made.status).toBe(422)
  expect(causesOf(made).map(([field]) => field)).toEqual(['spec.hostname'])
})

test('a JSON patch adds, tests and escapes, and a test that fails changes nothing', async () => {
  const patch = (key: string): object =>
    json(`[
      JSONPatch{op: "test", path: "/data/level", value: "low"},
      JSONPatch{op: "replace", path: "/data/level", value: "high"},
      JSONPatch{op: "add", path: "/metadata/labels", value: {"made": string(1 + 1)}},
      JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("${key}"), value: "x"},
      JSONPatch{op: "copy", from: "/data/level", path: "/data/copy"}
    ]`)
  await enforce(api, 'patch', [patch('example.com/a~b')])
  const refused = await create('a', { level: 'low' })
  expect(messageOf(refused)).toMatch(
    /^ConfigMap "a" is invalid: metadata.labels: Invalid value: "example.com\/a~b"/,
  )
  for (const path of [bindings, policies]) await api.send('DELETE', path)
  await enforce(api, 'patch', [patch('example.com/a')])
  expect((await create('b', { level: 'low' })).body).toMatchObject({
    metadata: { labels: { made: '2', 'example.com/a': 'x' } },
    data: { level: 'high', copy: 'high' },
  })
  expect((await create('c', { level: 'middle' })).body).toMatchObject({ data: { level: 'middle' } })
})

test('a mutation that cannot be carried out is refused in the words of Kubernetes, or is left out', async () => {
  const refusals: [mutation: object, why: string | RegExp][] = [
    [
      apply('Object{data: object.data.missing}'),
      "expression 'Object{data: object.data.missing}' resulted in error: no such key: missing",
    ],
    [
      apply('Object{metadata: Object.meta{name: "x"}}'),
      'type mismatch: unexpected type name "Object.meta", expected "Object.metadata", which matches field name path from root Object type',
    ],
    [
      apply('Object{thing: 1}'),
      'error applying patch: failed to convert patch object to typed object: .thing: field not declared in schema',
    ],
    [
      apply(
        'Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{uid: "u", name: "n"}]}}',
      ),
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .metadata.ownerReferences[0]',
    ],
    [
      json('[JSONPatch{op: "replace", path: "/data/none", value: "x"}]'),
      'JSONPath: replace operation does not apply: doc is missing path: "/data/none": missing value',
    ],
  ]
  for (const [mutation, why] of refusals) {
    await enforce(api, 'p', [mutation])
    const refused = await create('r', { a: 'b' })
    expect(refused.body).toMatchObject({
      code: 403,
      reason: 'Invalid',
      message: `policy 'p' with binding 'p-binding' denied request: ${String(why)}`,
      details: { name: 'r', kind: 'configmaps', causes: [{ message: expect.any(String) }] },
    })
    await api.send('PATCH', `${policies}/p`, { spec: { failurePolicy: 'Ignore' } }, merge)
    const taken = await create('r', { a: 'b' })
    expect(taken.body).toMatchObject({ data: { a: 'b' } })
    for (const path of [bindings, policies, configMaps]) await api.send('DELETE', path)
  }
  await enforce(api, 'p', [json('[JSONPatch{op: "add", path: "/thing", value: 1}]')])
  expect((await create('r')).body).toMatchObject({
    code: 500,
    message: 'Internal error occurred: strict decoding error: unknown field "thing"',
  })
})

test('parameters are looked up by the binding, and their absence is told', async () => {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }
  const binding = { paramRef: { name: 'settings', parameterNotFoundAction: 'Deny' } }
  const mutation = apply('Object{metadata: Object.metadata{labels: {"level": params.data.level}}}')
  const matchConditions = [{ name: 'others', expression: 'request.name != "settings"' }]
  await enforce(api, 'p', [mutation], { paramKind, matchConditions }, binding)
  const refused = await create('a')
  expect(refused.body).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    message:
      "policy 'p' with binding 'p-binding' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
  })
  await api.send('DELETE', bindings)
  await create('settings', { level: 'seven' })
  await api.send('DELETE', policies)
  await enforce(api, 'p', [mutation], { paramKind, matchConditions }, binding)
  expect((await create('a')).body).toMatchObject({ metadata: { labels: { level: 'seven' } } })
})

test('policies run in the order of their names, and again when a later one changed something', async () => {
  const count = (key: string): object =>
    json(
      `[JSONPatch{op: "add", path: "/data/${key}", value: string(int(object.data.?${key}.orValue("0")) + 1)}]`,
    )
  const seen = json(
    '[JSONPatch{op: "add", path: "/data/seen", value: object.data.?seen.orValue("") + "|" + object.data.?later.orValue("-")}]',
  )
  await enforce(api, 'a-once', [count('once')])
  await enforce(api, 'b-again', [seen], { reinvocationPolicy: 'IfNeeded' })
  await enforce(api, 'c-later', [count('later')])
  expect((await create('x', { a: 'b' })).body['data']).toEqual({
    a: 'b',
    once: '1',
    seen: '|-|1',
    later: '1',
  })
})

test('a dry run, a patch and a replacement are changed as well, and nobody owns what a policy set', async () => {
  await enforce(api, 'p', [apply('Object{data: {"by": request.operation + (request.dryRun ? " dry" : "")}}')])
  const dry = await api.send('POST', `${configMaps}?dryRun=All`, configMap('d'))
  expect(dry.body).toMatchObject({ data: { by: 'CREATE dry' } })
  expect((await api.send('GET', `${configMaps}/d`)).status).toBe(404)
  await create('d', { own: '1' })
  const patched = await api.send('PATCH', `${configMaps}/d`, { data: { own: '2' } }, merge)
  expect(patched.body).toMatchObject({ data: { own: '2', by: 'UPDATE' } })
  expect(JSON.stringify(patched.body['metadata'])).not.toContain('f:by')
  const replaced = await api.send('PUT', `${configMaps}/d`, configMap('d', { own: '3' }))
  expect(replaced.body['data']).toEqual({ own: '3', by: 'UPDATE' })
})

test('a policy leads no object to another namespace, and looks at none of its own kind', async () => {
  await enforce(
    api,
    'p',
    [json('[JSONPatch{op: "replace", path: "/metadata/namespace", value: "kube-system"}]')],
    {
      matchConstraints: {
        resourceRules: [rule('configmaps'), rule('*', 'admissionregistration.k8s.io')],
      },
    },
  )
  expect((await create('n')).status).toBe(400)
  expect((await api.send('GET', '/api/v1/namespaces/kube-system/configmaps/n')).status).toBe(404)
  expect((await api.send('DELETE', `${policies}/p`)).status).toBe(200)
})

test('a policy changes no more of an object than its request could, and not who it is', async () => {
  const services = '/api/v1/namespaces/default/services'
  await api.send('POST', services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  })
  await enforce(
    api,
    'p',
    [
      json('[JSONPatch{op: "add", path: "/spec/externalName", value: "x.example.com"}]'),
      json('[JSONPatch{op: "add", path: "/status/loadBalancer", value: {"ingress": [{"ip": "192.0.2.1"}]}}]'),
    ],
    { matchConstraints: { resourceRules: [rule('services'), rule('services/status')] } },
  )
  const labelled = await api.send('PATCH', `${services}/s`, { metadata: { labels: { a: 'b' } } }, merge)
  expect(labelled.body).toMatchObject({
    spec: { externalName: 'x.example.com' },
    status: { loadBalancer: {} },
  })
  expect(JSON.stringify(labelled.body['status'])).not.toContain('192.0.2.1')
  await api.send('PATCH', `${services}/s`, { metadata: { labels: { a: 'c' } } }, merge)
  await api.send('DELETE', policies)
  await api.send('DELETE', bindings)
  await enforce(api, 'q', [json('[JSONPatch{op: "add", path: "/spec/externalName", value: "other"}]')], {
    matchConstraints: { resourceRules: [rule('services/status')] },
  })
  const status = await api.send(
    'PATCH',
    `${services}/s/status`,
    { status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } } },
    merge,
  )
  expect(status.body).toMatchObject({
    spec: { externalName: 'x.example.com' },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } },
  })
  await api.send('DELETE', policies)
  await api.send('DELETE', bindings)
  await create('named', { a: 'b' })
  await enforce(api, 'r', [json('[JSONPatch{op: "replace", path: "/metadata/name", value: "other"}]')])
  const renamed = await api.send('PATCH', `${configMaps}/named`, { data: { a: 'c' } }, merge)
  expect(renamed.status).toBe(422)
  expect((await api.send('DELETE', `${services}/s`)).status).toBe(200)
})

test('custom resources are changed by the types of their schema', async () => {
  const text = { type: 'string' }
  const created = await api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  properties: {
                    parts: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['name'],
                      items: {
                        type: 'object',
                        required: ['name'],
                        properties: { name: text, size: { type: 'integer', default: 3 } },
                      },
                    },
                    words: { type: 'array', items: text },
                  },
                },
              },
            },
          },
        },
      ],
    },
  })
  expect(created.status).toBe(201)
  await enforce(api, 'p', [apply('Object{spec: Object.spec{parts: [Object.spec.parts{name: "b"}]}}')], {
    matchConstraints: { resourceRules: [rule('things', 'example.com')] },
  })
  const things = '/apis/example.com/v1/namespaces/default/things'
  const thing = (name: string): object => ({
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name },
    spec: { parts: [{ name: 'a', size: 1 }] },
  })
  const made = await api.send('POST', things, thing('t'))
  expect(made.body['spec']).toEqual({
    parts: [
      { name: 'a', size: 1 },
      { name: 'b', size: 3 },
    ],
  })
  await enforce(api, 'q', [apply('Object{spec: Object.spec{words: ["w"]}}')], {
    matchConstraints: { resourceRules: [rule('things', 'example.com')] },
  })
  expect(messageOf(await api.send('POST', things, thing('u')))).toContain(
    'may not mutate atomic arrays, maps or structs: .spec.words',
  )
})
