const firstMs = 1000
const largestMs = 15 * 60_000

/** How long to let a failed pod lie before it is replaced: twice as long every time, per set and node. */
export class FailedPods {
  readonly #nodes = new Map<string, Map<string, { readonly waitMs: number; readonly sinceMs: number }>>()

  /** Milliseconds to wait still; 0, and the next wait begins, when the pod may be replaced now. */
  next(ownerUid: string, nodeName: string, nowMs: number): number {
    const nodes = this.#nodes.get(ownerUid) ?? new Map<string, { waitMs: number; sinceMs: number }>()
    this.#nodes.set(ownerUid, nodes)
    const last = nodes.get(nodeName)
    const passed = last ? nowMs - last.sinceMs : Number.POSITIVE_INFINITY
    if (last && passed < last.waitMs) return last.waitMs - passed
    const waitMs = last && passed < 2 * largestMs ? Math.min(2 * last.waitMs, largestMs) : firstMs
    nodes.set(nodeName, { waitMs, sinceMs: nowMs })
    return 0
  }

  forget(ownerUid: string): void {
    this.#nodes.delete(ownerUid)
  }
}
