import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-edges-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

const configMaps = '/api/v1/namespaces/default/configmaps'

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

async function ask(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await cluster.clientAs({ name: 'admin', groups: ['system:masters'] }).raw({
    method,
    path,
    headers: { 'content-type': 'application/json', ...options.headers },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } }
}

const table = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
const partialOne = { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' }
const partialList = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }

test.each([
  [
    '?resourceVersionMatch=Exact',
    'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    '?resourceVersion=0&resourceVersionMatch=Exact',
    'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
  ],
  [
    '?resourceVersion=1&resourceVersionMatch=Foo',
    'resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
  ],
  ['?sendInitialEvents=true', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
  [
    '?watch=1&sendInitialEvents=true',
    'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  ],
  [
    '?watch=1&resourceVersionMatch=NotOlderThan',
    'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  ],
])('refuses options of a list that do not go together: %s', async (query, why) => {
  const { status, body } = await ask('GET', configMaps + query)
  expect(status).toBe(422)
  expect(body['message']).toBe(`ListOptions.meta.k8s.io "" is invalid: ${why}`)
})

test('tells where a continue token stops being base64', async () => {
  const { status, body } = await ask('GET', `${configMaps}?continue=x`)
  expect(status).toBe(400)
  expect(body['message']).toBe(
    'invalid continue token: continue key is not valid: illegal base64 data at input byte 0',
  )
})

test.each([
  ['PUT', configMaps],
  ['PATCH', configMaps],
  ['OPTIONS', configMaps],
  ['POST', '/apis/batch/v1'],
  ['POST', '/version'],
])('has no method %s at %s', async (method, path) => {
  const { status, body } = await ask(method, path, {
    body: {},
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(status).toBe(405)
  expect(body['reason']).toBe('MethodNotAllowed')
})

test('shows lists and objects in forms that fit them only', async () => {
  const one = `${configMaps}/kube-root-ca.crt`
  await expect.poll(async () => (await ask('GET', one)).status).toBe(200)
  expect((await ask('GET', `${configMaps}?includeObject=Foo`, { headers: table })).body['message']).toBe(
    `Unable to convert to Table as requested: includeObject: Invalid value: "Foo": must be 'Metadata', 'Object', 'None', or empty`,
  )
  expect((await ask('GET', one, { headers: partialList })).body).toMatchObject({
    code: 406,
    message:
      'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
  })
  expect((await ask('GET', configMaps, { headers: partialOne })).body).toMatchObject({
    code: 406,
    message: 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
  })
})

test('shows rows without objects when none are wanted, and exports nothing', async () => {
  const one = `${configMaps}/kube-root-ca.crt`
  const { body } = await ask('GET', `${one}?includeObject=None`, { headers: table })
  expect(body['rows']).toEqual([{ cells: ['kube-root-ca.crt', 1, expect.any(String)], object: null }])
  expect(await ask('GET', `${one}?export=true`)).toMatchObject({
    status: 400,
    body: { message: 'the export parameter, deprecated since v1.14, is no longer supported' },
  })
})

test.each([
  ['soon', 'invalid duration "soon"'],
  ['5', 'missing unit in duration "5"'],
])('refuses to answer within %s, which is no time', async (timeout, why) => {
  for (const path of [configMaps, '/version'])
    expect(await ask('GET', `${path}?timeout=${timeout}`)).toMatchObject({
      status: 400,
      body: { message: `invalid timeout specified in the request URL - time: ${why}` },
    })
  expect((await ask('GET', `${configMaps}?timeout=10s`)).status).toBe(200)
})

test('says that a delete is not done only to those who ask to leave no orphans', async () => {
  for (const [name, options, status] of [
    ['held', {}, 200],
    ['held', { propagationPolicy: 'Background' }, 200],
    ['held', { orphanDependents: false }, 202],
    ['free', { orphanDependents: false }, 200],
  ] as const) {
    const finalizers = name === 'held' ? ['example.com/hold'] : []
    await ask('POST', configMaps, { body: { metadata: { name, finalizers } } })
    expect((await ask('DELETE', `${configMaps}/${name}`, { body: options })).status).toBe(status)
  }
})

test('takes a grace below zero for a second, and one word about dependents', async () => {
  const both = { propagationPolicy: 'Orphan', orphanDependents: true }
  expect((await ask('DELETE', `${configMaps}/none`, { body: both })).body['message']).toBe(
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  )
  const pod = { metadata: { name: 'brief' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const pods = '/api/v1/namespaces/default/pods'
  await expect.poll(async () => (await ask('POST', pods, { body: pod })).status).not.toBe(403)
  expect((await ask('DELETE', `${pods}/brief`, { body: { gracePeriodSeconds: -1 } })).status).toBe(200)
})

test('keeps the grace of a pod that is going unless a shorter one is asked for', async () => {
  const pods = '/api/v1/namespaces/default/pods'
  const pod = {
    metadata: { name: 'going' },
    spec: { nodeName: 'elsewhere', containers: [{ name: 'c', image: 'i' }] },
  }
  await expect.poll(async () => (await ask('POST', pods, { body: pod })).status).toBe(201)
  const graceAfter = async (body?: object): Promise<unknown> => {
    const answer = await ask('DELETE', `${pods}/going`, { body })
    return (answer.body['metadata'] as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds
  }
  expect(await graceAfter({ gracePeriodSeconds: 100 })).toBe(100)
  expect(await graceAfter()).toBe(100)
  expect(await graceAfter({ gracePeriodSeconds: 200 })).toBe(100)
  expect(await graceAfter({ gracePeriodSeconds: 50 })).toBe(50)
  expect(await graceAfter()).toBe(50)
  expect(await graceAfter({ gracePeriodSeconds: 0 })).toBe(0)
  expect((await ask('GET', `${pods}/going`)).status).toBe(404)
})

test('refuses a pod of a runtime class that is not there', async () => {
  const pod = {
    metadata: { name: 'odd' },
    spec: { runtimeClassName: 'rc', containers: [{ name: 'c', image: 'i' }] },
  }
  const { body } = await ask('POST', '/api/v1/namespaces/default/pods', { body: pod })
  expect(body['message']).toBe('pods "odd" is forbidden: pod rejected: RuntimeClass "rc" not found')
})

test('tells how it is, check by check, what there is, and how often it was asked', async () => {
  expect((await ask('GET', '/readyz?verbose')).body['text']).toBe(
    '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]informer-sync ok\n[+]shutdown ok\nreadyz check passed\n',
  )
  expect((await ask('GET', '/livez/ping')).body['text']).toBe('ok')
  expect((await ask('GET', '/livez/nope')).status).toBe(404)
  expect((await ask('GET', '/')).body['paths']).toEqual(
    expect.arrayContaining(['/api/v1', '/apis/batch/v1', '/healthz', '/metrics', '/openapi/v2', '/version']),
  )
  await ask('GET', configMaps)
  expect((await ask('GET', '/metrics')).body['text']).toMatch(
    /apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1"\} \d+/,
  )
})

test('keeps the priority classes of the system', async () => {
  const { body } = await ask('DELETE', '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical')
  expect(body['message']).toBe(
    'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
  )
})

test('gives services ports of the range for nodes only', async () => {
  const service = { metadata: { name: 's' }, spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] } }
  const { body } = await ask('POST', '/api/v1/namespaces/default/services', { body: service })
  expect(body['message']).toBe(
    'Service "s" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  )
})

test('wants one selector in a question about rights', async () => {
  const review = async (fieldSelector: object): Promise<unknown> => {
    const spec = { user: 'u', resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector } }
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    return (await ask('POST', path, { body: { spec } })).body['message']
  }
  const requirements = [{ key: 'metadata.name', operator: 'In', values: ['p'] }]
  expect(await review({ requirements })).toBeUndefined()
  expect(await review({ rawSelector: 'a=b', requirements })).toBe(
    'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
  )
  expect(await review({})).toBe(
    'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required',
  )
  const wrong = [
    { key: 'a', operator: 'In' },
    { operator: 'Exists', values: ['b'] },
    { key: 'a', operator: '?' },
  ]
  const at = 'spec.resourceAttributes.fieldSelector.requirements'
  expect(await review({ requirements: wrong })).toBe(
    `SubjectAccessReview.authorization.k8s.io "" is invalid: [${at}[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn', ${at}[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist', ${at}[1].key: Required value: must be specified]`,
  )
})

test('answers bodies that say nothing with what is missing', async () => {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const { status, body } = await ask('POST', definitions, { body: { metadata: { name: 'x' } } })
  expect(status).toBe(422)
  expect(body['message']).toContain('spec.group: Required value')
  expect((await ask('POST', '/api/v1/namespaces/default/pods/p/binding', { body: {} })).body['message']).toBe(
    'name in URL does not match name in Binding object',
  )
  const nameless = { metadata: { name: 'p' }, target: { name: '' } }
  expect(
    (await ask('POST', '/api/v1/namespaces/default/pods/p/binding', { body: nameless })).body,
  ).toMatchObject({
    code: 500,
    message: 'target.name: Required value',
  })
  const review = await ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {} })
  expect(review.body).toMatchObject({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' })
})

test('applies nothing under the uid of an object that is not there', async () => {
  const { status, body } = await ask('PATCH', `${configMaps}/absent?fieldManager=m`, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { uid: 'foo' } },
  })
  expect(status).toBe(409)
  expect(body['message']).toBe(
    'Operation cannot be fulfilled on configmaps "absent": uid mismatch: the provided object specified uid foo, and no existing object was found',
  )
})

test('knows no parameters in a policy that names no kind of them', async () => {
  const { status, body } = await ask(
    'POST',
    '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    {
      body: {
        metadata: { name: 'p' },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
            ],
          },
          validations: [{ expression: 'params.x' }],
        },
      },
    },
  )
  expect(status).toBe(422)
  expect(body['message']).toContain("undeclared reference to 'params' (in container '')")
})
