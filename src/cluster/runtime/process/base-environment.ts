import { join } from 'node:path'
import type { ContainerSpec } from '../runtime.ts'
import { defaultPath, shimPrograms } from './machine-root.ts'

/** What every container finds in its environment, before what its pod asks for. `identifiers`: of GPUs, by index. */
export function baseEnvironment(spec: ContainerSpec, identifiers: readonly string[]): Record<string, string> {
  const visible = spec.gpus.map((index) => identifiers[index] ?? String(index))
  return {
    PATH: defaultPath,
    HOME: '/root',
    HOSTNAME: spec.pod.hostname,
    ...(spec.tty && { TERM: 'xterm' }),
    // Empty hides every device from CUDA; `void` is the word of the container toolkit for the same.
    CUDA_VISIBLE_DEVICES: visible.join(','),
    NVIDIA_VISIBLE_DEVICES: visible.length === 0 ? 'void' : visible.join(','),
  }
}

/** Without mounts, home and the stand-in programs are where they really lie. */
export function unmountedEnvironment(scratch: string): Record<string, string> {
  return {
    HOME: join(scratch, 'root'),
    TMPDIR: join(scratch, 'tmp'),
    PATH: defaultPath.replace(shimPrograms, join(scratch, 'bin')),
  }
}
