import { expect, it } from 'vitest'
import {
  createRegistry,
  type Listed,
  parseSelection,
  type Registry,
} from '../../../src/cluster/registry/index.ts'
import { configMaps } from '../../../src/cluster/registry/resources/config-map.ts'
import { memoryDisk, OrderedStore } from '../../../src/cluster/storage/index.ts'
import { type KubeObject, StatusError } from '../../../src/kube/index.ts'
import { requestOf } from './resources/drive.ts'

const minute = 60_000
const request = { ...requestOf(configMaps, 'list'), namespace: 'default' }
const everything = parseSelection(configMaps, undefined, undefined)

function pages(registry: Registry): (next?: string) => Promise<Listed> {
  return (next) =>
    registry.list(request, { selection: everything, limit: 2, ...(next && { continue: next }) })
}
const names = ({ items }: Listed): string => items.map(({ value }) => value.metadata.name).join('')

it('shows the pages of a list as of one moment for five minutes, then says how to go on without it', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const store = new OrderedStore<KubeObject>(memoryDisk())
  const registry = createRegistry({ store, admitters: [], now: () => now, newUid: () => crypto.randomUUID() })
  const page = pages(registry)
  for (const name of ['a', 'b', 'd', 'e', 'f', 'g'])
    await registry.create({ ...request, verb: 'create' }, { metadata: { name } })
  const first = await page()
  await registry.create({ ...request, verb: 'create' }, { metadata: { name: 'c' } })

  now += 5 * minute
  const second = await page(first.continue)
  expect([names(first), names(second), second.revision]).toEqual(['ab', 'de', first.revision])
  now += 1
  const late = await page(second.continue).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(late).toBeInstanceOf(StatusError)
  expect(late).toMatchObject({ code: 410, reason: 'Expired' })
  await expect(page(first.continue)).rejects.toMatchObject({ code: 410 })

  const on = (await page(first.continue).catch((error: unknown) => error)) as StatusError
  const third = await page(on.status.metadata.continue)
  expect([names(third), third.remaining]).toEqual(['cd', 3])
  expect(third.revision).toBe(store.revision)
  now += 4 * minute
  const fourth = await page(third.continue)
  expect([names(fourth), fourth.revision, fourth.remaining]).toEqual(['ef', third.revision, 1])
  await store.close()
})
