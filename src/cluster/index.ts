/** The embedded cluster: one process that speaks the Kubernetes API. */
export { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
export { type ClusterConfig, readClusterConfig, usualConfig } from './config.ts'
