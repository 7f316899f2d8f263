import type { Admission, Admitter } from '../registry/index.ts'
import { podOf } from './pod.ts'

const conditions = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const patienceSeconds = 300

/** Pods stay five minutes on a node that is not ready or cannot be reached, unless they say otherwise. */
export const defaultTolerationSeconds: Admitter = {
  name: 'DefaultTolerationSeconds',
  mutate(admission: Admission): void {
    if (admission.operation !== 'CREATE' && admission.operation !== 'UPDATE') return
    const spec = podOf(admission)?.spec
    if (spec === undefined) return
    const given = spec.tolerations ?? []
    const missing = conditions.filter(
      (key) =>
        !given.some((one) => (!one.key || one.key === key) && (!one.effect || one.effect === 'NoExecute')),
    )
    if (missing.length === 0) return
    spec.tolerations = [
      ...given,
      ...missing.map((key) => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: patienceSeconds,
      })),
    ]
  },
}
