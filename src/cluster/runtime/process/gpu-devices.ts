import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const capabilities = '/dev/nvidia-caps'

/** Device nodes that programs need to use these GPUs of the machine; none without GPUs. */
export function gpuDevices(gpus: readonly number[]): string[] {
  if (gpus.length === 0) return []
  return [
    '/dev/nvidiactl',
    '/dev/nvidia-uvm',
    '/dev/nvidia-uvm-tools',
    '/dev/nvidia-modeset',
    ...(existsSync(capabilities) ? readdirSync(capabilities).map((name) => join(capabilities, name)) : []),
    ...gpus.map((index) => `/dev/nvidia${index}`),
  ]
}
