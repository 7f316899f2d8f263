import type { Container, ContainerExit, ContainerKey, Notice } from '../runtime.ts'
import { containerId } from './process-container.ts'

/** A container that had ended when it was looked at. */
export function endedContainer(
  key: ContainerKey,
  exit: ContainerExit,
  notices: readonly Notice[],
): Container {
  const exited = Promise.resolve(exit)
  return {
    key,
    id: containerId(key),
    startedAt: exit.startedAt,
    exited,
    exit,
    notices,
    gpus: [],
    stop: () => exited,
  }
}
