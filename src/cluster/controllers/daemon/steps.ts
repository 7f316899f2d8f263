import { isReady } from '../job/job-pod.ts'
import type { Owner } from './node-fit.ts'
import type { DaemonPod, DaemonView } from './view.ts'

/** What there is to do: pods to delete, nodes to make a pod for. */
export interface Steps {
  readonly remove: readonly DaemonPod[]
  readonly fill: readonly string[]
}

const isLeaving = (pod: DaemonPod): boolean => pod.metadata.deletionTimestamp !== undefined

/**
 * One pod for every node where the set should run, none elsewhere. `mayReplace` says whether a pod that has ended may
 * be replaced already.
 */
export function upkeep(view: DaemonView, mayReplace: (ended: DaemonPod, nodeName: string) => boolean): Steps {
  const remove: DaemonPod[] = []
  const fill: string[] = []
  const surges = surgeOf(view.owner, 1) > 0
  for (const [nodeName, { shouldRun, mayStay }] of view.fits) {
    const pods = view.on(nodeName)
    if (shouldRun && pods.length === 0) {
      fill.push(nodeName)
      continue
    }
    const staying = pods.filter((pod) => !isLeaving(pod))
    if (!mayStay) {
      remove.push(...staying)
      continue
    }
    const running: DaemonPod[] = []
    for (const pod of staying) {
      const { phase } = pod.status ?? {}
      if (phase !== 'Failed' && phase !== 'Succeeded') running.push(pod)
      else if (mayReplace(pod, nodeName)) remove.push(pod)
    }
    if (surges) {
      if (running.length === 0 && shouldRun) fill.push(nodeName)
      else remove.push(...surplus(view, running))
    } else remove.push(...running.slice(1))
  }
  // Nobody else would ever end what waits for a node that is gone.
  for (const [nodeName, pods] of view.occupied()) {
    if (view.fits.has(nodeName)) continue
    remove.push(...pods.filter((pod) => !pod.spec?.nodeName && !isLeaving(pod)))
  }
  return { remove, fill }
}

/** Where pods may double up: an old one stays, as long as it serves, until the new one does. */
function surplus(view: DaemonView, running: readonly DaemonPod[]): DaemonPod[] {
  if (running.length < 2) return []
  const isNew = (pod: DaemonPod): boolean => view.isUpdated(pod)
  const fresh = running.find(isNew)
  const old = running.find((pod) => !isNew(pod))
  const beyond = running.filter((pod) => pod !== fresh && pod !== old)
  const isOldDone = fresh && old && (!isReady(old) || view.isAvailable(fresh))
  return isOldDone ? [...beyond, old] : beyond
}

/** The next steps of a rollout, as many as may be unavailable or doubled at once. */
export function rollout(view: DaemonView): Steps {
  const { surge, unavailable } = limits(view)
  return surge === 0 ? replace(view, unavailable) : double(view, surge)
}

function replace(view: DaemonView, most: number): Steps {
  let missing = 0
  const broken: DaemonPod[] = []
  const sound: DaemonPod[] = []
  for (const [, pods] of view.occupied()) {
    const pair = pairOn(view, pods)
    if (pair === undefined || (pair.fresh === undefined) === (pair.old === undefined)) missing += 1
    else if (pair.fresh) missing += view.isAvailable(pair.fresh) ? 0 : 1
    else if (pair.old) (view.isAvailable(pair.old) ? sound : broken).push(pair.old)
  }
  return { remove: [...broken, ...sound.slice(0, Math.max(0, most - missing))], fill: [] }
}

function double(view: DaemonView, most: number): Steps {
  let doubled = 0
  const remove: DaemonPod[] = []
  const urgent: string[] = []
  const candidates: string[] = []
  for (const [nodeName, pods] of view.occupied()) {
    const pair = pairOn(view, pods)
    if (pair === undefined) doubled += 1
    else if (pair.old === undefined) continue
    else if (pair.fresh !== undefined) {
      if (view.isAvailable(pair.fresh)) remove.push(pair.old)
      else doubled += 1
    } else if (view.fits.get(nodeName)?.shouldRun) {
      ;(view.isAvailable(pair.old) ? candidates : urgent).push(nodeName)
    }
  }
  return { remove, fill: [...urgent, ...candidates.slice(0, Math.max(0, most - doubled))] }
}

/** The new and the old pod of a node; undefined when it has more of a sort than one. */
function pairOn(
  view: DaemonView,
  pods: readonly DaemonPod[],
): { fresh: DaemonPod | undefined; old: DaemonPod | undefined } | undefined {
  const staying = pods.filter((pod) => !isLeaving(pod))
  const fresh = staying.filter((pod) => view.isUpdated(pod))
  const old = staying.filter((pod) => !view.isUpdated(pod))
  return fresh.length > 1 || old.length > 1 ? undefined : { fresh: fresh[0], old: old[0] }
}

function limits(view: DaemonView): { surge: number; unavailable: number } {
  const { desired, owner } = view
  const surge = surgeOf(owner, desired)
  const unavailable = shareOf(owner.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, desired)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

function surgeOf({ spec }: Owner, nodes: number): number {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {}
  return type === 'RollingUpdate' ? shareOf(rollingUpdate?.maxSurge ?? 0, nodes) : 0
}

function shareOf(amount: number | string, total: number): number {
  return typeof amount === 'number' ? amount : Math.ceil((Number.parseInt(amount, 10) * total) / 100)
}
