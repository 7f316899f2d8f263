import type { Registry, Subresource } from './registry/index.ts'
import { checkName, typed } from './registry/index.ts'

/** `namespaces/finalize`: the only way to change a namespace's own finalizers. */
export function namespaceFinalize(registry: Registry): Subresource {
  return {
    group: '',
    parent: 'namespaces',
    name: 'finalize',
    kind: 'Namespace',
    namespaced: false,
    async update(body, request) {
      body.metadata ??= {}
      checkName(body, request)
      const updated = await registry.update(request, {
        next: (current) => {
          const wanted = body['spec']
          const finalizers =
            typeof wanted === 'object' && wanted !== null && 'finalizers' in wanted
              ? wanted.finalizers
              : undefined
          const version = body.metadata.resourceVersion
          if (version) current.metadata.resourceVersion = version
          return {
            ...current,
            spec: Array.isArray(finalizers) && finalizers.length > 0 ? { finalizers } : {},
          }
        },
      })
      return typed(request.resource, updated.value)
    },
  }
}
