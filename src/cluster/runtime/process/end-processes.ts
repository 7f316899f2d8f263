import { ProcessRuntime } from './process-runtime.ts'

// Time for a program to write down what it has; nobody will ask for more.
const graceMs = 2000

/** Ends every container that was left running under a data directory, before the directory is removed. */
export async function endProcesses(dataDirectory: string): Promise<void> {
  const runtime = new ProcessRuntime({ dataDirectory })
  try {
    const containers = await runtime.adopt()
    await Promise.all(containers.map(async (container) => container.stop(graceMs)))
    for (const podUid of new Set(containers.map(({ key }) => key.podUid))) await runtime.remove(podUid)
  } finally {
    runtime.close()
  }
}
