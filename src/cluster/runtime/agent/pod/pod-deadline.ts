import type { Persisted, Pod } from '../../../../kube/index.ts'
import type { Clock } from '../../clock.ts'

/** What is said of a pod that was active for longer than it may be. */
export const deadlineVerdict = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

/** Tells when a pod has been active for as long as it may be. Returns what calls that off. */
export function watchDeadline(
  pod: Persisted<Pod>,
  onReached: () => void,
  { startedAt, clock }: { readonly startedAt: Date; readonly clock: Clock },
): () => void {
  const seconds = pod.spec?.activeDeadlineSeconds
  if (seconds === undefined) return () => undefined
  const at = startedAt.getTime() + seconds * 1000
  return clock.schedule(at - clock.now(), onReached)
}
