import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
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
    },
    'x-kubernetes-validations': [{ rule: '!has(self.whole) || self.whole != 9007199254740992' }],
  }
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
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
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
