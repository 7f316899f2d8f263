import type { KubeObject } from '../../kube/index.ts'
import type { Store } from '../storage/index.ts'
import type { Admission, Admitter } from './admission.ts'

/** What every operation of the registry works with. */
export interface RegistryParts {
  readonly store: Store<KubeObject>
  /** In the order in which they run. */
  readonly admitters: readonly Admitter[]
  /** Milliseconds since the epoch. */
  now(): number
  newUid(): string
}

/** Runs the mutating steps. */
export async function mutate(parts: RegistryParts, admission: Admission): Promise<void> {
  for (const admitter of parts.admitters) {
    // Most steps decide without waiting; a turn of the loop for each would double the cost of a write.
    const waiting = admitter.mutate?.(admission)
    if (waiting) await waiting
  }
}

/** Runs the validating steps. */
export async function admit(parts: RegistryParts, admission: Admission): Promise<void> {
  for (const admitter of parts.admitters) {
    const waiting = admitter.validate?.(admission)
    if (waiting) await waiting
  }
}
