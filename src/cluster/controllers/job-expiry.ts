import { type Job, type Persisted, WorkQueue, keyOf, kinds, parseKey } from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'

/** Timers cannot wait longer; whoever waits longer is asked again in between. */
const longestWaitMs = 24 * 3_600_000

/** When a finished job is to be deleted, in milliseconds; undefined when it is to stay or has not finished. */
function expiresAt(job: Persisted<Job>): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished
  if (seconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
  const end = (job.status?.conditions ?? []).find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
  return end?.lastTransitionTime ? Date.parse(end.lastTransitionTime) + seconds * 1000 : undefined
}

/** Deletes finished jobs when their `ttlSecondsAfterFinished` is over. */
export const jobExpiry: Controller = {
  name: 'ttl-after-finished-controller',
  async run(context) {
    const { client, informers, signal, now } = context
    const queue = new WorkQueue()
    informers.of(kinds.jobs).subscribe((change) => {
      if (change.type !== 'DELETED' && expiresAt(change.object) !== undefined) queue.add(keyOf(change.object))
    })
    await reconcile(context, queue, async (key) => {
      const at = parseKey(key)
      const cached = informers.of(kinds.jobs).get(at)
      const due = cached === undefined ? undefined : expiresAt(cached)
      if (due === undefined) return undefined
      if (due > now()) return { againAfterMs: Math.min(due - now(), longestWaitMs) }
      // The time may have been changed since: nothing is deleted on the word of a cache.
      const job = await unlessGone(client.get(kinds.jobs, at, { signal }))
      const stillDue = job === undefined ? undefined : expiresAt(job)
      if (job === undefined || stillDue === undefined) return undefined
      if (stillDue > now()) return { againAfterMs: Math.min(stillDue - now(), longestWaitMs) }
      const { uid, resourceVersion } = job.metadata
      await unlessGone(
        client.delete(kinds.jobs, at, {
          propagationPolicy: 'Foreground',
          preconditions: { uid, resourceVersion },
          signal,
        }),
      )
      return undefined
    })
  },
}
