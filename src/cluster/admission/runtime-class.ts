import { isDeepStrictEqual } from 'node:util'
import { compareQuantities, type Pod, type RuntimeClass } from '../../kube/index.ts'
import type { Admission, Admitter } from '../registry/index.ts'
import type { AdmissionContext } from './context.ts'
import { podOf } from './pod.ts'
import { refused } from './refusal.ts'

const classes = 'node.k8s.io/runtimeclasses'

type PodSpec = NonNullable<Pod['spec']>
type Toleration = NonNullable<PodSpec['tolerations']>[number]

/** Pods that name a runtime class get its overhead and its place on the nodes; a class that is not there refuses them. */
export function runtimeClass({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  function classOf(admission: Admission, spec: PodSpec): RuntimeClass | undefined {
    const name = spec.runtimeClassName
    if (name === undefined) return undefined
    const found = name === '' ? undefined : reader.get(classes, undefined, name)
    if (found === undefined) {
      throw refused(admission, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    }
    return asClass(found)
  }

  return {
    name: 'RuntimeClass',
    mutate(admission: Admission): void {
      if (admission.operation !== 'CREATE') return
      const spec = podOf(admission)?.spec
      if (spec === undefined) return
      const found = classOf(admission, spec)
      if (found?.overhead) {
        const fixed = found.overhead.podFixed ?? {}
        if (Object.keys(spec.overhead ?? {}).length > 0 && !sameAmounts(spec.overhead, fixed)) {
          throw refused(admission, otherOverhead)
        }
        spec.overhead = { ...fixed }
      }
      if (found?.scheduling) place(admission, spec, found.scheduling)
    },
    validate(admission: Admission): void {
      if (admission.operation !== 'CREATE') return
      const spec = podOf(admission)?.spec
      if (spec === undefined) return
      const found = classOf(admission, spec)
      if (found?.overhead) {
        if (!sameAmounts(spec.overhead, found.overhead.podFixed)) throw refused(admission, otherOverhead)
      } else if (Object.keys(spec.overhead ?? {}).length > 0) {
        throw refused(
          admission,
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        )
      }
    },
  }
}

const otherOverhead = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

function place(
  admission: Admission,
  spec: PodSpec,
  { nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
): void {
  const wanted = spec.nodeSelector ?? {}
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = Object.hasOwn(wanted, key) ? wanted[key] : undefined
    if (own !== undefined && own !== value) {
      throw refused(
        admission,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      )
    }
  }
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...wanted, ...nodeSelector }
  const merged = mergeTolerations([...(spec.tolerations ?? []), ...tolerations])
  if (merged.length > 0) spec.tolerations = merged
}

/** Leaves out what another toleration covers; of two that say the same the first stays. */
function mergeTolerations(all: readonly Toleration[]): Toleration[] {
  const merged: Toleration[] = []
  for (const [index, one] of all.entries()) {
    const isCovered =
      merged.some((other) => covers(other, one)) ||
      all.slice(index + 1).some((other) => !isDeepStrictEqual(other, one) && covers(other, one))
    if (!isCovered) merged.push(one)
  }
  return merged
}

function covers(wide: Toleration, narrow: Toleration): boolean {
  if (isDeepStrictEqual(wide, narrow)) return true
  if ((wide.key ?? '') !== (narrow.key ?? '') && !(!wide.key && wide.operator === 'Exists')) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds)
      return false
  }
  if (wide.operator === 'Exists') return true
  const isEqual = narrow.operator === undefined || narrow.operator === 'Equal'
  return isEqual && (wide.value ?? '') === (narrow.value ?? '')
}

function sameAmounts(
  left: Readonly<Record<string, string>> = {},
  right: Readonly<Record<string, string>> = {},
): boolean {
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => {
      const [one, other] = [left[name], right[name]]
      return one !== undefined && other !== undefined && compareQuantities(one, other) === 0
    })
  )
}

function asClass(object: object): RuntimeClass {
  return object as RuntimeClass
}
