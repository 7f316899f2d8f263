const shortestMs = 5
const longestMs = 100
/** Of time between two rounds for each stream: several times what a piece costs to encrypt and hand to the system. */
const perStreamMs = 0.5

/**
 * When streams that gather what comes are written to again. A change goes to a quiet stream at once; what follows shortly
 * behind waits for the next round, which is one for all streams: with many of them open, writing must not be all that the
 * server does.
 */
export class Rounds {
  #streams = 0
  #next: Promise<void> | undefined

  /** A stream has begun. The function returned tells that it has ended. */
  enter(): () => void {
    this.#streams += 1
    return () => {
      this.#streams -= 1
    }
  }

  /** Resolves when the next round begins, a tenth of a second from now at the latest. */
  async next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setTimeout(
        () => {
          this.#next = undefined
          resolve()
        },
        Math.min(longestMs, Math.max(shortestMs, this.#streams * perStreamMs)),
      )
    })
    await this.#next
  }
}
