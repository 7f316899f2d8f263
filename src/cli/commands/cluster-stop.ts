import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../data-directory.ts'

export const clusterStop: Command = {
  path: 'cluster stop',
  summary: 'Stop the embedded cluster; its data stays.',
  group: 'cluster',
  flags: [dataDirFlag],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const { stopRunning } = await import('../../cluster/index.ts')
    const wasRunning = await stopRunning(dataDir, { timeoutMs: 30_000, signal: context.signal })
    context.print(wasRunning ? `stopped the cluster in ${dataDir}` : `no cluster is running in ${dataDir}`)
  },
}
