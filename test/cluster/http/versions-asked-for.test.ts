import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-versions-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

const namespaces = '/api/v1/namespaces'
const never = 99_999_999

interface Answer {
  readonly status: number
  readonly text: string
}

async function ask(path: string): Promise<Answer> {
  const response = await cluster
    .clientAs({ name: 'admin', groups: ['system:masters'] })
    .raw({ method: 'GET', path, headers: {} })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return { status: response.status, text: Buffer.concat(parts).toString('utf8') }
}

const noVersion = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'

test.each([
  ['one object', `${namespaces}/default?resourceVersion=abc`, 500, noVersion],
  ['a list', `${namespaces}?resourceVersion=abc`, 500, noVersion],
  ['a watch', `${namespaces}?watch=1&resourceVersion=abc`, 500, noVersion],
  ['a page', `${namespaces}?limit=1&resourceVersion=abc`, 400, `invalid resource version: ${noVersion}`],
])('refuses what is no version for %s', async (_what, path, status, message) => {
  const answer = await ask(path)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.text)).toMatchObject({ message, code: status })
})

test('has no object as it will be at a version that is still to come', async () => {
  const { status, text } = await ask(`${namespaces}/default?resourceVersion=${never}`)
  expect(status).toBe(504)
  expect(JSON.parse(text)).toMatchObject({
    reason: 'Timeout',
    details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
  })
  expect((await ask(`${namespaces}/default?resourceVersion=1`)).status).toBe(200)
})

test('lets a watch wait for a version that is still to come', async () => {
  const answer = await ask(`${namespaces}?watch=1&resourceVersion=${never}&timeoutSeconds=1`)
  expect(answer).toEqual({ status: 200, text: '' })
})

test('tells in the stream that initial events are wanted of a version that is still to come', async () => {
  const { status, text } = await ask(
    `${namespaces}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=${never}`,
  )
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { reason: 'Timeout', code: 504 } })
})

test.each([
  [
    '/api/v1/configmaps',
    '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  ['/api/v1/pods', 'field label not supported: spec.x'],
  ['/apis/batch/v1/jobs', 'field label "spec.x" not supported for batchv1.Job'],
])('says in the words of the kind that a field cannot be selected by: %s', async (path, message) => {
  const { status, text } = await ask(`${path}?fieldSelector=spec.x%3D1`)
  expect(status).toBe(400)
  expect(JSON.parse(text)).toMatchObject({ message, reason: 'BadRequest' })
})

test('tells on every page how many are still to come, also when some have come or gone since the first', async () => {
  const templates = '/api/v1/namespaces/default/podtemplates'
  const { post, drop } = writer(templates)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await post(name)
  const shown: unknown[] = []
  let next = ''
  do {
    const { text } = await ask(`${templates}?limit=2${next && `&continue=${next}`}`)
    const { metadata, items } = JSON.parse(text) as {
      metadata: { continue?: string; remainingItemCount?: number }
      items: { metadata: { name: string } }[]
    }
    shown.push([items.map((item) => item.metadata.name).join(''), metadata.remainingItemCount])
    if (!next) await Promise.all([post('bb'), drop('d')])
    next = metadata.continue ?? ''
  } while (next)
  expect(shown).toEqual([
    ['ab', 3],
    ['cd', 1],
    ['e', undefined],
  ])
})

function writer(path: string): { post(name: string): Promise<void>; drop(name: string): Promise<void> } {
  const send = async (method: string, to: string, body?: object): Promise<void> => {
    const response = await cluster.clientAs({ name: 'admin', groups: ['system:masters'] }).raw({
      method,
      path: to,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    for await (const _part of response.body);
  }
  return {
    post: (name) =>
      send('POST', path, {
        apiVersion: 'v1',
        kind: 'PodTemplate',
        metadata: { name },
        template: { spec: { containers: [{ name: 'c', image: 'x' }] } },
      }),
    drop: (name) => send('DELETE', `${path}/${name}`),
  }
}
