/**
 * Loopback addresses for pods, 127.64.0.1 and up: all of 127/8 is this machine, so every pod can have one of its own
 * without any set-up, and a server that listens at its pod's name does not collide with those of other pods.
 */
export class PodAddresses {
  readonly #taken = new Map<string, string>()
  #next = 0

  /** @throws {Error} when a quarter of a million pods are alive. */
  take(podUid: string): string {
    for (let attempt = 0; attempt < capacity; attempt += 1) {
      const address = addressAt(this.#next)
      this.#next = (this.#next + 1) % capacity
      if (!this.#taken.has(address)) {
        this.#taken.set(address, podUid)
        return address
      }
    }
    throw new Error('no loopback address is left for another pod')
  }

  /** Keeps the address that a pod has already; false when another has it. */
  adopt(address: string, podUid: string): boolean {
    const holder = this.#taken.get(address)
    if (holder !== undefined && holder !== podUid) return false
    this.#taken.set(address, podUid)
    return true
  }

  release(address: string, podUid: string): void {
    if (this.#taken.get(address) === podUid) this.#taken.delete(address)
  }
}

const perBlock = 254
const capacity = 64 * 16 * perBlock

function addressAt(index: number): string {
  const last = (index % perBlock) + 1
  const block = Math.floor(index / perBlock)
  return `127.${64 + Math.floor(block / 256)}.${block % 256}.${last}`
}
