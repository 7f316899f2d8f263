import { type RestartWish, wantsRestart } from '../../../../kube/index.ts'
import type { ContainerExit } from '../../runtime.ts'
import type { ContainerKind } from './container-view.ts'

const firstDelayMs = 10_000
const longestDelayMs = 300_000
// A container that ran this long has recovered from whatever made it crash.
const recoveredMs = 2 * longestDelayMs

/** Is the container to be run again after this end? */
export function isRestarted(
  kind: ContainerKind,
  wish: RestartWish,
  { exitCode }: Pick<ContainerExit, 'exitCode'>,
): boolean {
  if (kind === 'sidecar') return true
  // An init container that has succeeded is done.
  if (kind === 'ephemeral' || (kind === 'init' && exitCode === 0)) return false
  return wantsRestart(wish, exitCode)
}

/** How long restarts are put off: not at all at first, then 10 s doubling up to 5 min. */
export class CrashBackoff {
  #delayMs = 0

  next(exit: ContainerExit): number {
    if (exit.finishedAt.getTime() - exit.startedAt.getTime() > recoveredMs) this.#delayMs = 0
    const delay = this.#delayMs
    this.#delayMs = Math.min(delay === 0 ? firstDelayMs : delay * 2, longestDelayMs)
    return delay
  }
}

/** As in `2m40s`, the way delays are written in back-off messages. */
export function shortDelay(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`
}
