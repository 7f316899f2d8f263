import { setTimeout as sleep } from 'node:timers/promises'
import { type CoreEvent, type Persisted, kinds } from '../../kube/index.ts'
import { type Controller, type ControllerContext, unlessGone } from './controller.ts'

const usualLifetimeMs = 3_600_000
const sweepsPerLifetime = 12

/** Removes events when nobody will ask for them any more. Kubernetes leaves this to the storage below it. */
export const eventExpiry: Controller = {
  name: 'event-expiry',
  actsAs: 'generic-garbage-collector',
  async run(context) {
    const lifetimeMs = context.settings.eventLifetimeMs ?? usualLifetimeMs
    while (!context.signal.aborted) {
      try {
        await sleep(lifetimeMs / sweepsPerLifetime, undefined, { signal: context.signal, ref: false })
        await sweep(context, lifetimeMs)
      } catch (error) {
        if (!context.signal.aborted) context.onError(error)
      }
    }
  },
}

async function sweep(context: ControllerContext, lifetimeMs: number): Promise<void> {
  const { client, signal, now } = context
  const before = now() - lifetimeMs
  let next: string | undefined
  do {
    const page = await client.list(kinds.events, { limit: 500, signal, ...(next && { continue: next }) })
    for (const event of page.items) {
      if (lastSeen(event) > before) continue
      const { namespace = '', name, uid } = event.metadata
      await unlessGone(client.delete(kinds.events, { namespace, name }, { preconditions: { uid }, signal }))
    }
    next = page.metadata.continue
  } while (next)
}

function lastSeen(event: Persisted<CoreEvent>): number {
  const time =
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.metadata.creationTimestamp
  return Date.parse(time)
}
