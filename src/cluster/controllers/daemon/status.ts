import type { DaemonSet } from '../../../kube/index.ts'
import { isReady } from '../job/job-pod.ts'
import type { DaemonView } from './view.ts'

type Status = NonNullable<DaemonSet['status']>

/** The counts of the status, and when they will change by time alone. */
export function statusOf(view: DaemonView): { status: Status; againAfterMs: number | undefined } {
  let [current, misscheduled, ready, available, updated] = [0, 0, 0, 0, 0]
  let againAfterMs: number | undefined
  for (const [nodeName, { shouldRun }] of view.fits) {
    const [pod] = view.on(nodeName)
    if (pod === undefined) continue
    if (!shouldRun) {
      misscheduled += 1
      continue
    }
    current += 1
    if (isReady(pod)) ready += 1
    const ms = view.msToAvailable(pod)
    if (ms === 0) available += 1
    else if (ms !== undefined) againAfterMs = Math.min(againAfterMs ?? ms, ms)
    if (view.isUpdated(pod)) updated += 1
  }
  const { desired, owner } = view
  const unavailable = desired - available
  const { conditions, collisionCount } = owner.status ?? {}
  const status: Status = {
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: owner.metadata.generation ?? 0,
    ...(updated > 0 && { updatedNumberScheduled: updated }),
    ...(available > 0 && { numberAvailable: available }),
    ...(unavailable > 0 && { numberUnavailable: unavailable }),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  }
  return { status, againAfterMs }
}
