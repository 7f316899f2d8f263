import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { samples } from './samples.ts'
import {
  eventually,
  mergePatch,
  type ServedCluster,
  type ServedObject,
  serveCluster,
} from './served-cluster.ts'

interface Row {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

let cluster: ServedCluster
beforeAll(async () => {
  cluster = await serveCluster()
  await cluster.namespace('sampled')
}, 60_000)
afterAll(() => cluster.close())

/** Those that are one of a kind: their names or their ranges say what they are. */
const special = new Set([
  '/v1/namespaces',
  'apiextensions.k8s.io/v1/customresourcedefinitions',
  'networking.k8s.io/v1/ipaddresses',
  'networking.k8s.io/v1/servicecidrs',
])
const pathOf = (groupVersion: string): string =>
  groupVersion.startsWith('/') ? `/api${groupVersion}` : `/apis/${groupVersion}`

async function rowsOf(groupVersion: string): Promise<readonly Row[]> {
  return (await cluster.send('GET', pathOf(groupVersion))).body['resources'] as Row[]
}

test('there is a sample of every kind that can be made and changed', async () => {
  const { groups } = (await cluster.send('GET', '/apis')).body as {
    groups: { versions: { groupVersion: string }[] }[]
  }
  const served = ['/v1', ...groups.flatMap(({ versions }) => versions.map((one) => one.groupVersion))]
  const rows = await Promise.all(
    served.map(async (groupVersion) =>
      (await rowsOf(groupVersion))
        .filter(({ name, verbs }) => !name.includes('/') && verbs.includes('update'))
        .map(({ name }) => `${groupVersion}/${name}`),
    ),
  )
  const custom = ['kubeflow.org/v1/tfjobs']
  expect(rows.flat().sort()).toEqual([...Object.keys(samples), ...special, ...custom].sort())
})

describe.concurrent.each(Object.keys(samples))('%s', (key) => {
  const [group = '', version = '', plural = ''] = key.split('/')
  const groupVersion = `${group}/${version}`
  const set = `${plural}-${version}`
  const selected = `labelSelector=set%3D${set}`
  const annotate = (value: string): object => ({ metadata: { annotations: { [value]: 'true' } } })

  test('is made, read, listed, watched, changed and deleted, one by one and together', async () => {
    const rows = await rowsOf(groupVersion)
    const row = rows.find(({ name }) => name === plural)
    if (row === undefined) throw new Error(`${key} is not served`)
    const path = `${pathOf(groupVersion)}${row.namespaced ? '/namespaces/sampled' : ''}/${plural}`
    const body = {
      apiVersion: groupVersion.replace(/^\//, ''),
      kind: row.kind,
      metadata: { generateName: 'sample-', labels: { set } },
      ...samples[key],
    }
    const made: ServedObject[] = []
    for (let count = 0; count < 3; count++) {
      const answer = await cluster.send('POST', path, { body })
      expect(answer.status, answer.text).toBe(201)
      made.push(answer.body as unknown as ServedObject)
    }
    const { name = '', uid } = made[0]?.metadata ?? {}
    expect(await cluster.read(`${path}/${name}`)).toMatchObject({ kind: row.kind, metadata: { uid } })
    const everywhere = `${pathOf(groupVersion)}/${plural}?${selected}`
    const list = await cluster.read(everywhere)
    expect(list.items.map(({ metadata }) => metadata.uid).sort()).toEqual(
      made.map(({ metadata }) => metadata.uid).sort(),
    )

    const patched = await cluster.send('PATCH', `${path}/${name}`, {
      body: annotate('patched'),
      ...mergePatch,
    })
    expect([patched.status, patched.body['metadata']]).toMatchObject([
      200,
      { annotations: { patched: 'true' } },
    ])
    await eventually(async () => {
      const current = await cluster.read(`${path}/${name}`)
      const annotations = { ...current.metadata.annotations, updated: 'true' }
      const next = { ...current, metadata: { ...current.metadata, annotations } }
      const updated = await cluster.send('PUT', `${path}/${name}`, { body: next })
      expect(updated.status, updated.text).toBe(200)
    })
    if (rows.some((one) => one.name === `${plural}/status`)) await changeStatus(`${path}/${name}/status`)

    const deleted = await cluster.send('DELETE', `${path}/${name}`)
    expect(deleted.status, deleted.text).toBe(200)
    const gone = await cluster.send('DELETE', `${path}?${selected}`)
    expect([gone.status, gone.body['kind']], gone.text).toEqual([200, `${row.kind}List`])
    await eventually(async () => expect((await cluster.read(everywhere)).items).toEqual([]))
    const heard: string[] = []
    const since = `${everywhere}&watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${list.metadata.resourceVersion}`
    for await (const { type, object } of cluster.watch(since)) {
      if (type === 'DELETED') break
      heard.push(...Object.keys(object.metadata.annotations ?? {}))
    }
    expect(heard).toEqual(expect.arrayContaining(['patched', 'updated']))
  })

  async function changeStatus(path: string): Promise<void> {
    const before = await cluster.read(path)
    const patched = await cluster.send('PATCH', path, { body: annotate('patchedstatus'), ...mergePatch })
    expect([patched.status, patched.body['spec']], patched.text).toEqual([200, before['spec']])
    await eventually(async () => {
      const updated = await cluster.send('PUT', path, { body: await cluster.read(path) })
      expect(updated.status, updated.text).toBe(200)
    })
  }
})
