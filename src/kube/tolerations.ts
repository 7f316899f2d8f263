import type { Taint, Toleration } from './kinds.ts'

/** Is there a toleration for the taint? (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/) */
export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => matchesTaint(toleration, taint))
}

/** Does this one toleration tolerate the taint? */
export function matchesTaint(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  switch (toleration.operator ?? '') {
    case 'Exists':
      return true
    case '':
    case 'Equal':
      return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '')
    default:
      return false
  }
}
