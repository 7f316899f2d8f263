import { once } from 'node:events'
import type { CommandContext } from '../command.ts'

export interface ClusterStart {
  readonly dataDir: string
  readonly configFile: string | undefined
  readonly port: number | undefined
}

/** Runs the embedded cluster in this process until the context's signal. */
export async function runCluster(options: ClusterStart, context: CommandContext): Promise<void> {
  const { announce, lastAnnounced, readClusterConfig, startCluster, usualConfig } = await import(
    '../../cluster/index.ts'
  )
  const config = options.configFile === undefined ? usualConfig : await readClusterConfig(options.configFile)
  const last = await lastAnnounced(options.dataDir)
  const cluster = await startCluster({
    dataDir: options.dataDir,
    config,
    // Kubeconfigs that were given out name the port.
    port: options.port ?? last?.port ?? 0,
    log: (line) => context.note(line),
  })
  try {
    await announce(options.dataDir, cluster)
    context.note(`ready: ${cluster.url}`)
    context.print(cluster.adminKubeconfig)
    if (!context.signal.aborted) await once(context.signal, 'abort')
  } finally {
    await cluster.close()
  }
}
