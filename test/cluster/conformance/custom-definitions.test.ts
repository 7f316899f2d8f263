import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  eventually,
  jsonPatch,
  type ServedCluster,
  type ServedObject,
  serveCluster,
} from './served-cluster.ts'

let cluster: ServedCluster
beforeAll(async () => {
  cluster = await serveCluster()
}, 60_000)
afterAll(() => cluster.close())

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

interface Definition {
  readonly schema?: object
  readonly labels?: Readonly<Record<string, string>>
  readonly versions?: readonly string[]
}

/** Defines `PLURAL.PLURAL.example.com`; the first version is the one that is stored. */
async function define(
  plural: string,
  { schema = anything, labels = {}, versions = ['v1'] }: Definition = {},
): Promise<string> {
  const name = `${plural}.${plural}.example.com`
  const made = await cluster.send('POST', definitions, {
    body: {
      metadata: { name, labels },
      spec: {
        group: `${plural}.example.com`,
        scope: 'Cluster',
        names: { plural, kind: kindOf(plural) },
        versions: versions.map((version, at) => ({
          name: version,
          served: true,
          storage: at === 0,
          schema: { openAPIV3Schema: schema },
        })),
      },
    },
  })
  expect(made.status, made.text).toBe(201)
  await eventually(() => cluster.read(`/apis/${plural}.example.com/${versions[0] ?? ''}/${plural}`))
  return `${definitions}/${name}`
}

const kindOf = (plural: string): string => `${plural[0]?.toUpperCase() ?? ''}${plural.slice(1)}`
const create = async (plural: string, name: string): Promise<ServedObject> => {
  const apiVersion = `${plural}.example.com/v1`
  const body = { apiVersion, kind: kindOf(plural), metadata: { name } }
  const made = await cluster.send('POST', `/apis/${apiVersion}/${plural}`, { body })
  return made.body as unknown as ServedObject
}

test('definitions are listed and deleted together by their labels, and no others', async () => {
  const other = await define('others')
  for (const plural of ['ones', 'twos', 'threes']) await define(plural, { labels: { set: 'few' } })
  const few = `${definitions}?labelSelector=set%3Dfew`
  expect((await cluster.read(few)).items).toHaveLength(3)
  expect((await cluster.send('DELETE', few)).status).toBe(200)
  await eventually(async () => expect((await cluster.read(few)).items).toEqual([]))
  expect((await cluster.send('GET', other)).status).toBe(200)
  await eventually(async () =>
    expect((await cluster.send('GET', '/apis/ones.example.com/v1/ones')).status).toBe(404),
  )
})

test('the status of a definition takes conditions of which there is only a message', async () => {
  const path = `${await define('tolds')}/status`
  const { status, ...rest } = await cluster.read(path)
  const { conditions } = status as { conditions: object[] }
  const told = {
    ...rest,
    status: { ...(status as object), conditions: [...conditions, { message: 'updated' }] },
  }
  const updated = await cluster.send('PUT', path, { body: told })
  expect(updated.status, updated.text).toBe(200)
  const patch = [{ op: 'add', path: '/status/conditions', value: [{ message: 'patched' }] }]
  const patched = await cluster.send('PATCH', path, { body: patch, ...jsonPatch })
  expect(patched.text).toContain('"message":"patched"')
})

test('a default fills what is read and what is written, and stays in what was written with it', async () => {
  const text = { type: 'string' }
  const path = await define('defaults', { schema: { ...anything, properties: { a: text, b: text } } })
  const things = '/apis/defaults.example.com/v1/defaults'
  const property = '/spec/versions/0/schema/openAPIV3Schema/properties'
  const change = (...body: object[]): Promise<unknown> => cluster.send('PATCH', path, { body, ...jsonPatch })
  await create('defaults', 'before')
  await change({ op: 'add', path: `${property}/a/default`, value: 'A' })
  await eventually(async () => expect(await cluster.read(`${things}/before`)).toMatchObject({ a: 'A' }))
  expect(await create('defaults', 'after')).toMatchObject({ a: 'A' })
  await change(
    { op: 'remove', path: `${property}/a/default` },
    { op: 'add', path: `${property}/b/default`, value: 'B' },
  )
  await eventually(async () =>
    expect(await cluster.read(`${things}/after`)).toMatchObject({ a: 'A', b: 'B' }),
  )
  expect((await cluster.read(`${things}/before`))['a']).toBeUndefined()
})

test('what is published of a definition follows its versions: renamed, no longer served, gone', async () => {
  const schema = { type: 'object', description: 'Foo for tests', properties: { spec: { type: 'object' } } }
  const path = await define('published', { schema, versions: ['v2', 'v3'] })
  const published = async (): Promise<string[]> => {
    const { definitions: all } = (await cluster.send('GET', '/openapi/v2')).body as { definitions: object }
    const own = /^com\.example\.published\.(v\d)\.Published$/
    return Object.keys(all).flatMap((name) => own.exec(name)?.[1] ?? [])
  }
  const change = (...body: object[]): Promise<unknown> => cluster.send('PATCH', path, { body, ...jsonPatch })
  await eventually(async () => expect(await published()).toEqual(['v2', 'v3']))
  await change({ op: 'replace', path: '/spec/versions/1/name', value: 'v4' })
  await eventually(async () => expect(await published()).toEqual(['v2', 'v4']))
  await change({ op: 'replace', path: '/spec/versions/1/served', value: false })
  await eventually(async () => expect(await published()).toEqual(['v2']))
  await cluster.send('DELETE', path)
  await eventually(async () => expect(await published()).toEqual([]))
})

test.each([
  ['unknown fields', 'extra: 1', '.extra: field not declared in schema'],
  ['fields that are there twice', 'spec:\n  foo: a\n  foo: b', 'line 7: key \\"foo\\" already set in map'],
])('a strict apply refuses %s', async (what, rest, why) => {
  const plural = what.startsWith('unknown') ? 'stricts' : 'twices'
  const properties = { spec: { ...anything, properties: { foo: { type: 'string' } } } }
  await define(plural, { schema: { type: 'object', properties } })
  const path = `/apis/${plural}.example.com/v1/${plural}/mine?fieldManager=m&fieldValidation=Strict`
  const body = `apiVersion: ${plural}.example.com/v1\nkind: ${kindOf(plural)}\nmetadata:\n  name: mine\n${rest}\n`
  const { status, text } = await cluster.send('PATCH', path, { body, type: 'application/apply-patch+yaml' })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(text).toContain(why)
})
