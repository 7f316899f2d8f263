import type { Persisted, Pod } from '../../../../kube/index.ts'

const usualGraceSeconds = 30

/** The least that a container gets to end by itself, also when its pod was removed by force. */
export const forcedGraceMs = 2000

/** How long a pod's containers get to end by themselves, as the pod has it. */
export function graceMsOf({ spec }: Persisted<Pod>): number {
  return (spec?.terminationGracePeriodSeconds ?? usualGraceSeconds) * 1000
}

/** The same, as who deletes the pod has it. */
export function deletionGraceMsOf({ metadata }: Persisted<Pod>): number {
  return (metadata.deletionGracePeriodSeconds ?? usualGraceSeconds) * 1000
}
