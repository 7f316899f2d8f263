import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../../src/kube/index.ts'
import { followDefinitions } from '../../../../src/cluster/registry/custom/index.ts'
import {
  Catalog,
  createRegistry,
  prefixOf,
  type Registry,
  type ResourceDefinition,
  type ResourceRequest,
  writerOf,
} from '../../../../src/cluster/registry/index.ts'
import { builtinResources } from '../../../../src/cluster/registry/resources/table.ts'
import { memoryDisk, OrderedStore } from '../../../../src/cluster/storage/index.ts'

interface Served {
  readonly store: OrderedStore<KubeObject>
  readonly registry: Registry
  readonly catalog: Catalog
  readonly stop: () => Promise<void>
}

function serve(store = new OrderedStore<KubeObject>(memoryDisk())): Served {
  const stopping = new AbortController()
  const registry = createRegistry({ store, admitters: [], now: Date.now, newUid: () => crypto.randomUUID() })
  const catalog = new Catalog({ builtin: builtinResources({}), virtual: [], subresources: [] })
  followDefinitions({
    store,
    writer: writerOf({ store }),
    catalog,
    webhooks: { post: () => Promise.reject(new Error('no webhook is called here')) },
    signal: stopping.signal,
    now: Date.now,
    onFault: (error) => {
      throw error
    },
  })
  const stop = async (): Promise<void> => {
    stopping.abort()
    await store.close()
  }
  return { store, registry, catalog, stop }
}

function request(
  resource: ResourceDefinition | undefined,
  name?: string,
  namespace?: string,
): ResourceRequest {
  if (resource === undefined) throw new Error('the kind is not served')
  return {
    user: { name: 'admin', groups: [] },
    verb: 'create',
    resource,
    ...(name && { name }),
    ...(namespace && { namespace }),
    dryRun: false,
    fieldManager: 'test',
    fieldValidation: 'Warn',
    signal: new AbortController().signal,
    warn: () => undefined,
  }
}

const definitions = 'apiextensions.k8s.io/customresourcedefinitions'

function definition(version: string): KubeObject {
  return {
    metadata: { name: 'things.ex.example' },
    spec: {
      group: 'ex.example',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: ['v1', 'v2'].map((name) => ({
        name,
        served: true,
        storage: name === version,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties:
                  name === 'v1' ? { a: { type: 'integer' } } : { b: { type: 'integer', default: 7 } },
              },
            },
          },
        },
      })),
    },
  }
}

/** Waits until something holds, turn by turn of the loop: everything here happens in this process and in memory. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !holds(); turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(holds()).toBe(true)
}

describe('custom kinds', () => {
  it('are served once their definition is established, in every version, and no more when it is gone', async () => {
    const served = serve()
    const { registry, catalog } = served
    const crds = catalog.storedDefinition(definitions)
    await registry.create(request(crds), definition('v1'))
    await until(() => catalog.find('ex.example', 'v2', 'things') !== undefined)
    const v1 = catalog.find('ex.example', 'v1', 'things')?.stored
    const v2 = catalog.find('ex.example', 'v2', 'things')?.stored
    await registry.create(request(v1, undefined, 'team'), {
      metadata: { name: 'x' },
      spec: { a: 1 },
    } as unknown as KubeObject)
    const stored = registry.get(request(v2, 'x', 'team'))
    expect(v2?.convert?.fromStored(stored.value)['spec']).toEqual({ b: 7 })

    const marked = await registry.delete(request(crds, 'things.ex.example'), {})
    expect(marked.isGone).toBe(false)
    expect(marked.object.value.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    await until(() => {
      const now = catalog.find('ex.example', 'v1', 'things')?.stored
      try {
        now?.prepareForCreate?.({ metadata: {} }, request(now), () => [])
        return false
      } catch {
        return true
      }
    })
    await registry.update(request(crds, 'things.ex.example'), {
      next: (current) => ({ ...current, metadata: { ...current.metadata, finalizers: [] } }),
    })
    await until(() => catalog.find('ex.example', 'v1', 'things') === undefined)
    await served.stop()
  })

  it('are served again after a restart before anybody asks', async () => {
    const first = serve()
    await first.registry.create(request(first.catalog.storedDefinition(definitions)), definition('v2'))
    await until(() => first.catalog.find('ex.example', 'v1', 'things') !== undefined)
    const values = [...first.store.scan(prefixOf(definitions, undefined))]
    await first.stop()
    const store = new OrderedStore<KubeObject>(memoryDisk())
    for (const { key, value, json } of values) {
      await store.write({ key, expected: 0, make: () => ({ value, json }) })
    }
    const second = serve(store)
    expect(second.catalog.find('ex.example', 'v1', 'things')).toBeDefined()
    await second.stop()
  })
})
