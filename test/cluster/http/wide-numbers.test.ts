import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { certificatesFor, configuration, group, startWebhook, webhook } from '../admission/webhooks/server.ts'
import { bindings, json, policies, policy, rule } from './kinds/mutating.ts'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

const objects = '/apis/example.com/v1/namespaces/default/wides'
const wide = '9007199254740993'

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-wide-'))
  await start()
  const spec = {
    type: 'object',
    properties: {
      whole: { type: 'integer', minimum: 0 },
      free: { 'x-kubernetes-preserve-unknown-fields': true },
      either: { 'x-kubernetes-int-or-string': true },
      items: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
      count: { type: 'integer' },
      keyed: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
        items: {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'integer' }, size: { type: 'string', maxLength: 2 } },
        },
      },
    },
    'x-kubernetes-validations': [{ rule: '!has(self.whole) || self.whole != 9007199254740992' }],
  }
  const status = { type: 'object', properties: { count: { type: 'integer' } } }
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'wides.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'wides', kind: 'Wide' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.count', statusReplicasPath: '.status.count' },
          },
          additionalPrinterColumns: [{ name: 'Whole', type: 'integer', jsonPath: '.spec.whole' }],
        },
      ],
    },
  }
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await ask('POST', path, JSON.stringify(definition))
  await vi.waitFor(async () => expect((await ask('GET', objects)).status).toBe(200))
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(): Promise<void> {
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
}

async function ask(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await cluster.clientAs({ name: 'admin', groups: ['system:masters'] }).raw({
    method,
    path,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return { status: response.status, text: Buffer.concat(parts).toString('utf8') }
}

const object = (name: string, spec: string): string =>
  `{"apiVersion":"example.com/v1","kind":"Wide","metadata":{"name":"${name}"},"spec":${spec}}`

const specIn = (text: string): string | undefined => /"spec":(.*)\}$/.exec(text)?.[1]

test('custom resources keep all digits of 64 bits, whichever way they are written and read', async () => {
  const spec = `{"whole":${wide},"free":{"deep":[-9223372036854775808]},"either":${wide},"items":[${wide},9007199254740995]}`
  const made = await ask('POST', objects, object('kept', spec))
  expect(specIn(made.text)).toBe(spec)
  const one = `${objects}/kept`
  const merge = { 'content-type': 'application/merge-patch+json' }
  await ask('PATCH', one, '{"metadata":{"labels":{"a":"b"}}}', merge)
  await ask('PATCH', one, '{"spec":{"free":{"more":9007199254740997}}}', merge)
  const json = { 'content-type': 'application/json-patch+json' }
  const tested = `[{"op":"test","path":"/spec/whole","value":${wide}}]`
  expect((await ask('PATCH', one, tested, json)).status).toBe(200)
  const apply = { 'content-type': 'application/apply-patch+yaml' }
  const yaml = `apiVersion: example.com/v1\nkind: Wide\nmetadata: {name: kept}\nspec: {whole: 9007199254740999}\n`
  const applied = await ask('PATCH', `${one}?fieldManager=x&force=true`, yaml, apply)
  const after =
    '{"whole":9007199254740999,"free":{"deep":[-9223372036854775808],"more":9007199254740997},' +
    `"either":${wide},"items":[${wide},9007199254740995]}`
  expect(specIn(applied.text)).toBe(after)

  await cluster.close()
  await start()
  await expect.poll(async () => (await ask('GET', one)).status).toBe(200)
  expect(specIn((await ask('GET', one)).text)).toBe(after)
  const shown = await ask('GET', one, undefined, { accept: 'application/yaml' })
  expect(shown.text).toContain('whole: 9007199254740999\n')
  const watched = await ask('GET', `${objects}?watch=1&timeoutSeconds=1`)
  expect(watched.text).toContain(after)
  const table = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
  expect((await ask('GET', `${objects}?includeObject=Object`, undefined, table)).text).toContain(after)
  const replaced = await ask('GET', one)
  expect((await ask('PUT', one, replaced.text)).text).toBe(replaced.text)
})

test.each([
  ['9223372036854775808', 422, 'spec.whole in body must be of type integer: \\"number\\"'],
  ['1e17', 422, 'spec.whole in body must be of type integer: \\"number\\"'],
  ['-9007199254740993', 422, 'spec.whole in body should be greater than or equal to 0'],
  ['9007199254740992', 422, 'failed rule: !has(self.whole) || self.whole != 9007199254740992'],
  ['1e400', 400, 'json: cannot unmarshal number 1e400 into Go value of type float64'],
])('a custom resource that has %s where a whole number belongs is refused', async (number, status, why) => {
  const answer = await ask('POST', objects, object('refused', `{"whole":${number}}`))
  expect(answer.status).toBe(status)
  expect(answer.text).toContain(why)
})

test('a number of replicas that is too wide for a scale is refused as too large', async () => {
  const answer = await ask('POST', objects, object('many', `{"count":${wide}}`))
  expect(answer.status).toBe(422)
  expect(answer.text).toContain(`Invalid value: ${wide}: should be less than or equal to 2147483647`)
})

test('items of a list are told apart by keys of all their digits', async () => {
  const items = `{"id":${wide},"size":"S"},{"id":9007199254740992,"size":"M"}`
  await ask('POST', objects, object('keyed', `{"keyed":[${items}]}`))
  const merge = { 'content-type': 'application/merge-patch+json' }
  const wrong = `{"spec":{"keyed":[{"id":${wide},"size":"XXL"},{"id":9007199254740992,"size":"M"}]}}`
  const answer = await ask('PATCH', `${objects}/keyed`, wrong, merge)
  expect(answer.status).toBe(422)
  expect(answer.text).toContain('spec.keyed[0].size: Too long: may not be more than 2 bytes')
})

test('webhooks are shown all digits, and may write them', async () => {
  const certificates = await certificatesFor()
  const hook = await startWebhook(certificates)
  const patch = `[{"op":"add","path":"/spec/free","value":9007199254740997}]`
  hook.answer = () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(patch).toString('base64'),
  })
  const place = { url: hook.url, caBundle: certificates.caBundle }
  const rules = [
    { apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['wides'] },
  ]
  const registered = configuration('Mutating', 'wide', webhook('wide.hooks.example', place, { rules }))
  const path = `${group}/mutatingwebhookconfigurations`
  try {
    expect((await ask('POST', path, JSON.stringify(registered))).status).toBe(201)
    const answer = await ask('POST', objects, object('hooked', `{"whole":${wide}}`))
    expect(specIn(answer.text)).toBe(`{"whole":${wide},"free":9007199254740997}`)
    expect(hook.texts[0]).toContain(`"whole":${wide}`)
  } finally {
    await ask('DELETE', `${path}/wide`)
    await hook.close()
  }
})

test('policies may copy such a number', async () => {
  const mutation = json('[JSONPatch{op: "add", path: "/spec/either", value: object.spec.whole}]')
  const resourceRules = [rule('wides', 'example.com')]
  const made = policy('copies', [mutation], { matchConstraints: { resourceRules } })
  const bound = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'copies' },
    spec: { policyName: 'copies' },
  }
  expect((await ask('POST', policies, JSON.stringify(made))).status).toBe(201)
  expect((await ask('POST', bindings, JSON.stringify(bound))).status).toBe(201)
  const answer = await ask('POST', objects, object('copied', `{"whole":${wide}}`))
  expect(specIn(answer.text)).toBe(`{"whole":${wide},"either":${wide}}`)
  await ask('DELETE', `${bindings}/copies`)
})
