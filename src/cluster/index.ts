/** The embedded cluster: one process that speaks the Kubernetes API. */
export { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
export { type ClusterConfig, readClusterConfig, usualConfig } from './config.ts'
export { endProcesses } from './runtime/index.ts'
export {
  announce,
  type ClusterProcess,
  findRunning,
  lastAnnounced,
  removeData,
  stopRunning,
} from './process-state.ts'
export {
  backupCluster,
  type BackupSummary,
  holdsCluster,
  restoreCluster,
} from './backup.ts'
