/** Time as the agent and the runtimes see it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls once after a while, unless the answer is called before. Does not keep the program alive. */
  schedule(delayMs: number, run: () => void): () => void
}

// Longer delays overflow the timer of Node and would fire at once.
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), longestDelayMs))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after a while, or at once when the signal aborts. Never rejects: look at the signal afterwards. */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.schedule(delayMs, finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}
