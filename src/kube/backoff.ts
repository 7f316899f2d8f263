/** Waiting times that double with every failure, up to a limit, spread by up to half of themselves. */
export class Backoff {
  readonly #firstMs: number
  readonly #largestMs: number
  readonly #random: () => number
  #failures = 0

  constructor(options: { firstMs: number; largestMs: number; random?: () => number }) {
    this.#firstMs = options.firstMs
    this.#largestMs = options.largestMs
    this.#random = options.random ?? Math.random
  }

  /** How long to wait now. */
  next(): number {
    const base = Math.min(this.#firstMs * 2 ** this.#failures, this.#largestMs)
    // Beyond this the base is at its limit anyway.
    if (this.#failures < 30) this.#failures += 1
    return base * (0.5 + this.#random() / 2)
  }

  /** Something went well: start from the shortest time again. */
  reset(): void {
    this.#failures = 0
  }
}
