import { ContainerRefused } from '../runtime.ts'

/** The GPUs of one node, by their indexes on the machine. A holder is one container of one pod. */
export class NodeDevices {
  readonly #free: Set<number>
  readonly #held = new Map<string, readonly number[]>()

  constructor(indexes: readonly number[]) {
    this.#free = new Set(indexes)
  }

  /**
   * The same devices for the same holder, until they are released.
   *
   * @throws {ContainerRefused} when too few are free; the scheduler promised them, so this is passing.
   */
  take(holder: string, count: number): readonly number[] {
    const held = this.#held.get(holder)
    if (held !== undefined) return held
    if (count > this.#free.size) {
      throw new ContainerRefused(
        'CreateContainerError',
        `Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: ${count}, Available: ${this.#free.size}, which is unexpected`,
      )
    }
    const taken = [...this.#free].sort((a, b) => a - b).slice(0, count)
    this.#hold(holder, taken)
    return taken
  }

  /** What a container that is found running has already. */
  adopt(holder: string, indexes: readonly number[]): void {
    this.#hold(holder, indexes)
  }

  release(holder: string): void {
    for (const index of this.#held.get(holder) ?? []) this.#free.add(index)
    this.#held.delete(holder)
  }

  #hold(holder: string, indexes: readonly number[]): void {
    for (const index of indexes) this.#free.delete(index)
    this.#held.set(holder, indexes)
  }
}
