import { expect, test } from 'vitest'
import { listAnswer } from '../../../src/cluster/http/answers.ts'
import type { Listed, ResourceDefinition } from '../../../src/cluster/registry/index.ts'

const definition: ResourceDefinition = {
  schema: { type: 'object' },
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: [],
  categories: [],
  namespaced: true,
  hasStatus: false,
  tracksGeneration: false,
}

function listOf(count: number): Listed {
  const items = Array.from({ length: count }, (_, index) => {
    const value = { metadata: { name: `c${index}` }, data: { text: 'ü'.repeat(4000) } }
    return { key: `/configmaps/x/c${index}`, revision: 1, value, json: JSON.stringify(value) }
  })
  return { items, revision: 7 }
}

async function answered(count: number): Promise<{ pieces: string[]; list: { items: object[] } }> {
  const form = { wanted: { encoding: 'json' }, include: 'Metadata', warnings: [], now: 0 } as const
  const { body } = await listAnswer(definition, listOf(count), form)
  const pieces: string[] = []
  if (typeof body === 'string') pieces.push(body)
  else if (!Buffer.isBuffer(body)) for await (const piece of body) pieces.push(String(piece))
  return { pieces, list: JSON.parse(pieces.join('')) as { items: object[] } }
}

test('a list of usual size is one text', async () => {
  const { pieces, list } = await answered(50)
  expect(pieces).toHaveLength(1)
  expect(list.items).toHaveLength(50)
})

test('a list of many megabytes comes whole, in pieces', async () => {
  const { pieces, list } = await answered(3000)
  expect(pieces.length).toBeGreaterThan(10)
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(1024 * 1024)
  expect(list).toMatchObject({ kind: 'ConfigMapList', metadata: { resourceVersion: '7' } })
  expect(list.items).toEqual(listOf(3000).items.map(({ value }) => value))
})
