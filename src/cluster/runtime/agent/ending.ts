/** An end that is to come. Its signal is made when somebody waits for it: most pods and containers are only asked whether it has come. */
export class Ending {
  #controller: AbortController | undefined
  #isReached = false

  get isReached(): boolean {
    return this.#isReached
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isReached) this.#controller.abort()
    }
    return this.#controller.signal
  }

  reach(): void {
    this.#isReached = true
    this.#controller?.abort()
  }
}
