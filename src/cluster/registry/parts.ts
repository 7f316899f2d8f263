import type { KubeObject } from '../../kube/index.ts'
import type { Store } from '../storage/index.ts'
import type { Admission, Admitter, Turn } from './admission.ts'
import type { InFlight } from './in-flight.ts'
import { prefixOf, storedAs } from './keys.ts'
import type { AllOfKind, ResourceDefinition } from './resource.ts'

/** What every operation of the registry works with. */
export interface RegistryParts {
  readonly store: Store<KubeObject>
  /** In the order in which they run. */
  readonly admitters: readonly Admitter[]
  /** Milliseconds since the epoch. */
  now(): number
  newUid(): string
  readonly inFlight: InFlight
}

/** Reads the store only when a hook asks. */
export function allOf(
  { store, inFlight }: Pick<RegistryParts, 'store' | 'inFlight'>,
  resource: ResourceDefinition,
): AllOfKind {
  return function* all() {
    for (const { value } of store.scan(prefixOf(storedAs(resource), undefined))) yield value
    yield* inFlight.of(resource)
  }
}

/**
 * Runs the mutating steps, twice when one of them wants it so.
 *
 * @returns whether that was so: the object may be changed in any way then.
 */
export async function mutate(
  parts: Pick<RegistryParts, 'admitters'>,
  admission: Admission,
): Promise<boolean> {
  let isWanted = false
  const turn = {
    isSecond: false,
    wantsSecond(): void {
      isWanted = true
    },
  }
  await mutateOnce(parts, admission, turn)
  if (!isWanted) return false
  turn.isSecond = true
  await mutateOnce(parts, admission, turn)
  return true
}

async function mutateOnce(
  { admitters }: Pick<RegistryParts, 'admitters'>,
  admission: Admission,
  turn: Turn,
): Promise<void> {
  for (const admitter of admitters) {
    // Most steps decide without waiting; a turn of the loop for each would double the cost of a write.
    const waiting = admitter.mutate?.(admission, turn)
    if (waiting) await waiting
  }
}

/** Runs the validating steps. */
export async function admit(parts: Pick<RegistryParts, 'admitters'>, admission: Admission): Promise<void> {
  for (const admitter of parts.admitters) {
    const waiting = admitter.validate?.(admission)
    if (waiting) await waiting
  }
}
