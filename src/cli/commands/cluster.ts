import type { Command } from '../command.ts'
import { clusterBackup } from './cluster-backup.ts'
import { clusterReset } from './cluster-reset.ts'
import { clusterRestore } from './cluster-restore.ts'
import { clusterStart } from './cluster-start.ts'
import { clusterStatus } from './cluster-status.ts'
import { clusterStop } from './cluster-stop.ts'

/** Commands of the embedded cluster: the only ones that need its code. */
export const clusterCommands: readonly Command[] = [
  clusterStart,
  clusterStop,
  clusterStatus,
  clusterBackup,
  clusterRestore,
  clusterReset,
]
