import { randomBytes } from 'node:crypto'
import type { KubeClient } from './client.ts'
import { type CoreEvent, kinds, type ObjectReference } from './kinds.ts'
import type { KubeObject, Persisted } from './object.ts'
import { isStatus } from './status.ts'
import { microTimestamp, timestamp } from './timestamp.ts'

/** What happened to an object, for the people who look at it. */
export interface Happening {
  readonly about: ObjectReference
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** The node that reports, for what happened on one. */
  readonly host?: string
  /** Only the scheduler names one; its events are of the newer form. */
  readonly action?: string
}

/** Tells what happened to objects by writing events about them. */
export interface EventRecorder {
  /** Never throws and never blocks: events are best effort, the oldest are dropped when too many wait. */
  record(happening: Happening): void
}

/** In whose name events are written. */
export interface EventRecorderOptions {
  readonly client: KubeClient
  /** Who reports, as `job-controller`. */
  readonly component: string
  readonly signal: AbortSignal
  readonly now: () => number
  /** Told of events that could not be written. */
  readonly onError: (error: unknown) => void
}

/** The longest message that the API takes in an event of the newer form. */
const messageLimit = 1024
const waitingLimit = 1000
const workers = 2
const rememberedLimit = 4096
/** A repetition within this time is counted on the event that is there. */
const countingMs = 10 * 60_000
/** Per object: this many at once, then one in five minutes, as in client-go. */
const burst = 25
const refillMs = 5 * 60_000

interface Remembered {
  readonly namespace: string
  readonly name: string
  count: number
  lastMs: number
}

/** Refers to an object as events and claim references do. */
export function referenceTo(
  object: Persisted<unknown> | KubeObject,
  kind: { readonly kind: string; readonly apiVersion: string },
): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata
  return {
    kind: kind.kind,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(uid !== undefined && { uid }),
    apiVersion: kind.apiVersion,
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
}

/**
 * Writes events: one object per kind of happening and object, with a count of its repetitions
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, component, signal, now } = options
  const waiting: Happening[] = []
  const known = new Map<string, Remembered>()
  const budgets = new Map<string, { left: number; atMs: number }>()
  let active = 0

  async function work(): Promise<void> {
    active += 1
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      try {
        await write(next)
      } catch (error) {
        // An event about a namespace on its way out has nowhere to go.
        if (!signal.aborted && !isStatus(error, 'Forbidden') && !isStatus(error, 'NotFound'))
          options.onError(error)
      }
    }
    active -= 1
  }

  async function write(happening: Happening): Promise<void> {
    const key = JSON.stringify([
      happening.about.uid,
      happening.about.fieldPath,
      happening.type,
      happening.reason,
      happening.message,
    ])
    const atMs = now()
    const time = timestamp(atMs)
    const before = known.get(key)
    if (before !== undefined && atMs - before.lastMs < countingMs) {
      before.count += 1
      before.lastMs = atMs
      // The scheduler repeats itself with every attempt: one event in ten minutes says as much.
      if (happening.action !== undefined) return
      try {
        await client.patch(
          kinds.events,
          before,
          {
            type: 'strategic',
            patch: { count: before.count, lastTimestamp: time },
          },
          { signal },
        )
        return
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
      }
    }
    const namespace = happening.about.namespace ?? 'default'
    const name = `${happening.about.name ?? ''}.${randomBytes(8).toString('hex')}`
    const event = {
      metadata: { name, namespace },
      involvedObject: happening.about,
      type: happening.type,
      reason: happening.reason,
      message: happening.message.slice(0, messageLimit),
      ...(happening.action === undefined
        ? {
            source: { component, ...(happening.host !== undefined && { host: happening.host }) },
            firstTimestamp: time,
            lastTimestamp: time,
            count: 1,
            reportingComponent: component,
            reportingInstance: happening.host ?? '',
          }
        : {
            source: {},
            eventTime: microTimestamp(atMs),
            action: happening.action,
            reportingComponent: component,
            reportingInstance: component,
          }),
    } satisfies CoreEvent
    await client.create(kinds.events, event, { namespace, signal })
    if (known.size >= rememberedLimit) forgetOldest(known)
    known.delete(key)
    known.set(key, { namespace, name, count: 1, lastMs: atMs })
  }

  /** Keeps one object in a bad loop from drowning everything else. */
  function isWithinBudget(happening: Happening): boolean {
    const key = `${happening.about.uid ?? ''}`
    const atMs = now()
    let budget = budgets.get(key)
    if (budget === undefined) {
      if (budgets.size >= rememberedLimit) forgetOldest(budgets)
      budget = { left: burst, atMs }
      budgets.set(key, budget)
    }
    budget.left = Math.min(burst, budget.left + (atMs - budget.atMs) / refillMs)
    budget.atMs = atMs
    if (budget.left < 1) return false
    budget.left -= 1
    return true
  }

  return {
    record(happening) {
      if (signal.aborted || !isWithinBudget(happening)) return
      if (waiting.length >= waitingLimit) waiting.shift()
      waiting.push(happening)
      if (active < workers) void work()
    },
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
