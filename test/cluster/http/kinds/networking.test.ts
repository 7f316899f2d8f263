import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, causesOf, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const group = '/apis/networking.k8s.io/v1'
const policies = `${group}/namespaces/default/networkpolicies`
const ingresses = `${group}/namespaces/default/ingresses`
const classes = `${group}/ingressclasses`
const backend = { service: { name: 'web', port: { number: 80 } } }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const object = (kind: string, name: string, spec: object, metadata: object = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind,
  metadata: { name, ...metadata },
  spec,
})

test('discovery shows the kinds, and a status of ingresses alone', async () => {
  const { body } = await api.send('GET', group)
  const { resources } = body as { resources: { name: string; kind: string; shortNames?: string[] }[] }
  expect(resources.map(({ name, kind, shortNames }) => [name, kind, shortNames])).toEqual([
    ['ingressclasses', 'IngressClass', undefined],
    ['ingresses', 'Ingress', ['ing']],
    ['ingresses/status', 'Ingress', undefined],
    ['ipaddresses', 'IPAddress', ['ip']],
    ['networkpolicies', 'NetworkPolicy', ['netpol']],
    ['servicecidrs', 'ServiceCIDR', undefined],
    ['servicecidrs/status', 'ServiceCIDR', undefined],
  ])
})

test('a network policy gets its protocol and its directions, and counts the changes of its spec', async () => {
  const created = await api.send(
    'POST',
    policies,
    object('NetworkPolicy', 'open', {
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ ports: [{ port: 80, endPort: 90 }], from: [{ namespaceSelector: {} }] }],
      egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }],
    }),
  )
  expect(created.status).toBe(201)
  expect(created.body).toMatchObject({
    metadata: { generation: 1 },
    spec: { ingress: [{ ports: [{ protocol: 'TCP' }] }], policyTypes: ['Ingress', 'Egress'] },
  })
  const patched = await api.send(
    'PATCH',
    `${policies}/open`,
    { spec: { policyTypes: ['Ingress'] } },
    { type: 'application/strategic-merge-patch+json' },
  )
  expect(patched.body).toMatchObject({ metadata: { generation: 2 }, spec: { policyTypes: ['Ingress'] } })
  expect(await tableOf(api, `${policies}/open`)).toEqual({
    columns: ['Name', 'Pod-Selector', 'Age'],
    cells: ['open', 'app=web', expect.any(String)],
  })
  const bare = await api.send('POST', policies, object('NetworkPolicy', 'bare', {}))
  expect(bare.body).toMatchObject({ spec: { podSelector: {}, policyTypes: ['Ingress'] } })
  expect((await api.send('DELETE', policies)).status).toBe(200)
})

test('a network policy with wrong ports, peers and blocks is invalid', async () => {
  const refused = await api.send(
    'POST',
    policies,
    object('NetworkPolicy', 'bad', {
      podSelector: {},
      policyTypes: ['Sideways'],
      ingress: [
        {
          ports: [{ port: 0 }, { endPort: 5 }, { port: 'web', endPort: 5 }, { port: 9, endPort: 8 }],
          from: [
            {},
            { podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8', '11.0.0.0/16', 'x'] } },
          ],
        },
      ],
    }),
  )
  expect(refused.status).toBe(422)
  expect(causesOf(refused)).toEqual([
    ['spec.ingress[0].ports[0].port', 'Invalid value: 0: must be between 1 and 65535, inclusive'],
    [
      'spec.ingress[0].ports[1].endPort',
      'Invalid value: 5: may not be specified when `port` is not specified',
    ],
    ['spec.ingress[0].ports[2].endPort', 'Invalid value: 5: may not be specified when `port` is non-numeric'],
    ['spec.ingress[0].ports[3].endPort', 'Invalid value: 8: must be greater than or equal to `port`'],
    ['spec.ingress[0].from[0]', 'Required value: must specify a peer'],
    ['spec.ingress[0].from[1]', 'Forbidden: may not specify both ipBlock and another peer'],
    [
      'spec.ingress[0].from[2].ipBlock.except[0]',
      'Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    ],
    [
      'spec.ingress[0].from[2].ipBlock.except[1]',
      'Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
    [
      'spec.ingress[0].from[2].ipBlock.except[2]',
      'Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    ['spec.policyTypes[0]', 'Unsupported value: "Sideways": supported values: "Ingress", "Egress"'],
  ])
})

test('an ingress class keeps its controller, and its parameters have a scope', async () => {
  const spec = { controller: 'acme.io/proxy', parameters: { apiGroup: 'acme.io', kind: 'Tuning', name: 't' } }
  const created = await api.send('POST', classes, object('IngressClass', 'acme', spec))
  expect(created.body).toMatchObject({
    metadata: { generation: 1 },
    spec: { parameters: { scope: 'Cluster' } },
  })
  expect(await tableOf(api, `${classes}/acme`)).toEqual({
    columns: ['Name', 'Controller', 'Parameters', 'Age'],
    cells: ['acme', 'acme.io/proxy', 'Tuning.acme.io/t', expect.any(String)],
  })
  const changed = await api.send(
    'PUT',
    `${classes}/acme`,
    object('IngressClass', 'acme', { controller: 'other.io/proxy' }),
  )
  expect(messageOf(changed)).toBe(
    'IngressClass.networking.k8s.io "acme" is invalid: spec.controller: Invalid value: "other.io/proxy": field is immutable',
  )
  const parameters = { kind: '', name: 'a/b', scope: 'Namespace' }
  const refused = await api.send(
    'POST',
    classes,
    object('IngressClass', 'bad', { controller: 'nobody', parameters }),
  )
  expect(causesOf(refused).map(([field]) => field)).toEqual([
    'spec.controller',
    'spec.parameters.kind',
    'spec.parameters.name',
    'spec.parameters.namespace',
  ])
  await api.send('DELETE', `${classes}/acme`)
})

test('an ingress without a class gets the default one, when there is one', async () => {
  const plain = (name: string, metadata: object = {}): object =>
    object('Ingress', name, { defaultBackend: backend }, metadata)
  expect((await api.send('POST', ingresses, plain('before'))).body['spec']).toEqual({
    defaultBackend: backend,
  })
  const marked = { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }
  await api.send('POST', classes, object('IngressClass', 'usual', { controller: 'acme.io/proxy' }, marked))
  expect((await api.send('POST', ingresses, plain('after'))).body).toMatchObject({
    spec: { ingressClassName: 'usual' },
  })
  const old = { annotations: { 'kubernetes.io/ingress.class': 'old' } }
  expect((await api.send('POST', ingresses, plain('annotated', old))).body['spec']).toEqual({
    defaultBackend: backend,
  })
})

test('an ingress shows hosts, address and ports, and only its status subresource changes its status', async () => {
  const rule = (host: string): object => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
  })
  const spec = {
    ingressClassName: 'acme',
    rules: ['a.example', 'b.example', '*.c.example', 'd.example'].map(rule),
    tls: [{ hosts: ['a.example'], secretName: 'cert' }],
  }
  const point = { loadBalancer: { ingress: [{ ip: '10.0.0.9' }, { hostname: 'lb.example' }] } }
  const created = await api.send('POST', ingresses, {
    ...object('Ingress', 'web', spec),
    status: point,
  })
  expect(created.body).toMatchObject({ metadata: { generation: 1 }, status: { loadBalancer: {} } })
  const patched = await api.send(
    'PATCH',
    `${ingresses}/web/status`,
    { status: point, spec: { tls: null } },
    { type: 'application/merge-patch+json' },
  )
  expect(patched.body).toMatchObject({ metadata: { generation: 1 }, spec: { tls: spec.tls }, status: point })
  expect(await tableOf(api, `${ingresses}/web`)).toEqual({
    columns: ['Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'],
    cells: [
      'web',
      'acme',
      'a.example,b.example,*.c.example + 1 more...',
      '10.0.0.9,lb.example',
      '80, 443',
      expect.any(String),
    ],
  })
  const wrong = await api.send(
    'PATCH',
    `${ingresses}/web/status`,
    { status: { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '10.0.0.1' }] } } },
    { type: 'application/merge-patch+json' },
  )
  expect(causesOf(wrong).map(([field]) => field)).toEqual([
    'status.loadBalancer.ingress[0].ip',
    'status.loadBalancer.ingress[1].hostname',
  ])
})

test('an ingress with wrong hosts, paths or backends is invalid', async () => {
  const path = (rest: object): object => ({ pathType: 'Prefix', path: '/', backend, ...rest })
  const refused = await api.send(
    'POST',
    ingresses,
    object('Ingress', 'bad', {
      rules: [
        {
          host: '10.0.0.1',
          http: {
            paths: [
              path({ path: 'x' }),
              path({ path: '/a//b/..' }),
              path({ pathType: 'Guess' }),
              path({ backend: {} }),
              path({ backend: { service: { name: '1', port: { name: 'web', number: 80 } } } }),
              path({ backend: { service: { name: 'web' } } }),
              path({ backend: { resource: { kind: 'K', name: '' } } }),
            ],
          },
        },
        { host: 'a.*.example', http: { paths: [] } },
      ],
      tls: [{ hosts: ['*'], secretName: 'A' }],
    }),
  )
  expect(causesOf(refused).map(([field]) => field)).toEqual([
    'spec.rules[0].host',
    'spec.rules[0].http.paths[0].path',
    'spec.rules[0].http.paths[1].path',
    'spec.rules[0].http.paths[1].path',
    'spec.rules[0].http.paths[2].pathType',
    'spec.rules[0].http.paths[3].backend',
    'spec.rules[0].http.paths[4].backend.service.name',
    'spec.rules[0].http.paths[4].backend',
    'spec.rules[0].http.paths[5].backend',
    'spec.rules[0].http.paths[6].backend.resource.name',
    'spec.rules[1].host',
    'spec.rules[1].http.paths',
    'spec.tls[0].hosts[0]',
    'spec.tls[0].secretName',
  ])
  expect(messageOf(await api.send('POST', ingresses, object('Ingress', 'empty', {})))).toBe(
    'Ingress.networking.k8s.io "empty" is invalid: spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  )
})

test('who may edit a namespace may change its ingresses and policies, and who may view it reads them', async () => {
  for (const role of ['edit', 'view']) {
    await api.send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `${role}or` }],
    })
  }
  const body = object('NetworkPolicy', 'theirs', { podSelector: {} })
  expect((await api.send('POST', policies, body, { user: 'viewor' })).status).toBe(403)
  expect((await api.send('POST', policies, body, { user: 'editor' })).status).toBe(201)
  expect((await api.send('GET', policies, undefined, { user: 'viewor' })).status).toBe(200)
  expect((await api.send('GET', ingresses, undefined, { user: 'viewor' })).status).toBe(200)
  expect((await api.send('GET', classes, undefined, { user: 'editor' })).status).toBe(403)
})
