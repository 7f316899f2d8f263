import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** A graphics processor of this machine. */
export interface Gpu {
  readonly index: number
  /** By which CUDA can be told to use this device, whatever the order of devices. */
  readonly identifier: string
  readonly model: string
  readonly memoryMiB: number
}

/** What this machine has. */
export interface Machine {
  readonly cpus: number
  readonly memoryBytes: number
  readonly gpus: readonly Gpu[]
}

export type RunTool = (program: string, parameters: readonly string[]) => Promise<string>

const toolMs = 5000

const runTool: RunTool = async (program, parameters) => {
  // Most machines have no such program, and to find out by starting one takes a good part of a cluster's start.
  if (!(await isInstalled(program))) throw new Error(`${program} is not installed`)
  const { stdout } = await promisify(execFile)(program, [...parameters], {
    timeout: toolMs,
    encoding: 'utf8',
  })
  return stdout
}

async function isInstalled(program: string): Promise<boolean> {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  const found = await Promise.all(
    directories.map((directory) =>
      access(join(directory, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}

/** Looks at this machine. GPUs are those that `nvidia-smi` lists; without that program there are none. */
export async function discoverMachine(options: { readonly runTool?: RunTool } = {}): Promise<Machine> {
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    gpus: await discoverGpus(options.runTool ?? runTool),
  }
}

async function discoverGpus(run: RunTool): Promise<Gpu[]> {
  let text: string
  try {
    text = await run('nvidia-smi', [
      '--query-gpu=index,uuid,name,memory.total',
      '--format=csv,noheader,nounits',
    ])
  } catch {
    // Not installed, no driver, or a driver that hangs: in each case there is no GPU to give out.
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [index = '', identifier = '', model = '', memory = ''] = line
      .split(',')
      .map((field) => field.trim())
    if (!/^\d+$/.test(index)) return []
    return [{ index: Number(index), identifier, model, memoryMiB: Number(memory) || 0 }]
  })
}

/** The machine as amounts of a node. */
export function machineCapacity(machine: Machine): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    ...(machine.gpus.length > 0 && { 'nvidia.com/gpu': String(machine.gpus.length) }),
  }
}
