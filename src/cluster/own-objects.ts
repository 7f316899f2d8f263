import { isStatus, type KubeObject } from '../kube/index.ts'
import { requestFor } from './bootstrap.ts'
import { type Catalog, prefixOf, type Registry, type ResourceRequest } from './registry/index.ts'
import { type Change, HistoryGone, type Store } from './storage/index.ts'

/** What those work with that keep objects of the server itself. */
export interface OwnParts {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly store: Store<KubeObject>
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  now(): number
  onFault(error: unknown): void
}

const repairMs = 60_000

/** Does something now and every minute until the signal: what somebody removed by hand comes back. */
export function keepUp(parts: OwnParts, work: () => Promise<void>): void {
  const { signal } = parts
  const once = (): void => void work().catch((error: unknown) => tell(parts, error))
  once()
  const timer = setInterval(once, repairMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** Looks at all that is there, and then at every change of the objects stored under `group/plural`, until the signal. */
export function follow(
  parts: OwnParts,
  resource: string,
  look: { all(): Promise<void>; at(changes: readonly Change<KubeObject>[]): Promise<void> },
): void {
  const { store, signal } = parts
  // What failed is tried again by those who keep up; one failure must not end the watch.
  const told = (error: unknown): void => tell(parts, error)
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const after = store.revision
      await look.all().catch(told)
      try {
        const changes = store.watch(prefixOf(resource, undefined), { after, signal })
        for await (const some of changes) await look.at(some).catch(told)
      } catch (error) {
        if (!(error instanceof HistoryGone)) throw error
      }
    }
  }
  run().catch(told)
}

function tell({ signal, onFault }: OwnParts, error: unknown): void {
  if (!signal.aborted) onFault(error)
}

/** A request of the server itself; a new object keeps the status that it comes with, where two writes would do the same. */
export function ownRequest(
  { catalog }: OwnParts,
  object: KubeObject,
  fieldManager: string,
): ResourceRequest | undefined {
  const own = requestFor(catalog, object)
  return own && { ...own, resource: { ...own.resource, keepsStatusOnCreate: true }, fieldManager }
}

/** Creates an object unless it is there; the object becomes the new one. */
export async function makeOwn(parts: OwnParts, object: KubeObject, fieldManager: string): Promise<void> {
  const request = ownRequest(parts, object, fieldManager)
  try {
    if (request) await parts.registry.create({ ...request, verb: 'create' }, object)
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
  }
}
