import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'

export const clusterStop: Command = {
  path: 'cluster stop',
  summary: 'Stop the embedded cluster; its data stays.',
  group: 'cluster',
  description: `
Jobs that run go on without it, and are found again when it starts; --jobs ends them too.`,
  flags: [
    dataDirFlag,
    { name: 'jobs', type: 'boolean', default: false, meaning: 'End the jobs that run as well.' },
  ],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const { endProcesses, stopRunning } = await import('../../cluster/index.ts')
    const wasRunning = await stopRunning(dataDir, { timeoutMs: 30_000, signal: context.signal })
    if (input.flag('jobs')) await endProcesses(dataDir)
    context.print(wasRunning ? `stopped the cluster in ${dataDir}` : `no cluster is running in ${dataDir}`)
  },
}
