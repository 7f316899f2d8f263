/**
 * Decides how many requests are under way at once. A new connection costs more than a short request, so the first one
 * is made alone and requests that come meanwhile wait to share it; when that takes too long as many lanes as there are
 * open anew, so that a few requests get by with few connections and thousands soon have all they may.
 */
export class Lanes {
  readonly #patienceMs: number
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #open = 1
  #busy = 0
  #isWarm = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: { patienceMs: number; most: number }) {
    this.#patienceMs = options.patienceMs
    this.#most = options.most
  }

  /** Resolves when the request may go out, with the function to call at its end. */
  async enter(): Promise<() => void> {
    if (this.#busy < this.#open) {
      this.#busy += 1
    } else {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        this.#watchPatience()
      })
    }
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#busy -= 1
      if (!this.#isWarm) this.#warm()
      this.#admit()
    }
  }

  /** The first connection is made: who waits from now on waits for answers alone. */
  #warm(): void {
    this.#isWarm = true
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#watchPatience()
  }

  #admit(): void {
    while (this.#busy < this.#open && this.#waiting.length > 0) {
      this.#busy += 1
      this.#waiting.shift()?.()
    }
  }

  #watchPatience(): void {
    if (this.#timer !== undefined || this.#open >= this.#most) return
    // While the first connection is being made, a second one would be ready no sooner.
    const patienceMs = this.#isWarm ? this.#patienceMs : this.#patienceMs * 20
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length === 0) return
      this.#open = Math.min(this.#most, this.#open + Math.min(this.#open, this.#waiting.length))
      this.#admit()
      if (this.#waiting.length > 0) this.#watchPatience()
    }, patienceMs)
  }
}
