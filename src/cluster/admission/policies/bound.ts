import type { KubeObject } from '../../../kube/index.ts'
import type { Reader } from '../../registry/index.ts'

interface Binding {
  readonly metadata?: { readonly name?: string }
  readonly spec?: { readonly policyName?: string }
}

/** A policy that is ready, with those of its bindings that are there. */
export interface Bound<Policy, B> {
  readonly policy: Policy
  readonly bindings: readonly B[]
}

/**
 * Finds the policies of a kind that have a binding, in the order of their names. They are looked up anew only when one of
 * either kind has changed.
 */
export function boundPolicies<Policy, B extends Binding>(
  reader: Reader,
  kinds: { readonly policies: string; readonly bindings: string },
  compile: (object: KubeObject) => Policy,
): () => readonly Bound<Policy, B>[] {
  let cache: readonly Bound<Policy, B>[] = []
  let cached: readonly [number, number] | undefined
  return () => {
    const versions = [reader.version(kinds.policies), reader.version(kinds.bindings)] as const
    if (cached?.[0] === versions[0] && cached[1] === versions[1]) return cache
    const byPolicy = new Map<string, B[]>()
    for (const object of reader.list(kinds.bindings)) {
      // Validated on its way into the store.
      const binding = object as unknown as B
      const name = binding.spec?.policyName ?? ''
      byPolicy.set(name, [...(byPolicy.get(name) ?? []), binding])
    }
    const next: Bound<Policy, B>[] = []
    for (const object of reader.list(kinds.policies)) {
      const bindings = byPolicy.get(object.metadata.name ?? '')
      if (bindings !== undefined) next.push({ policy: compile(object), bindings })
    }
    cache = next
    cached = versions
    return cache
  }
}
