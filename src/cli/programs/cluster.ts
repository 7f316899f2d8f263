import { clusterCommands } from '../commands/cluster.ts'
import { startIfAmong } from './start-if-among.ts'

// For the program with all commands, which does not carry a cluster of its own.
export * from '../../cluster/index.ts'

/** Runs the command line if it is one of a command of the embedded cluster; false, and nothing done, if it is not. */
export function run(typed: readonly string[]): Promise<boolean> {
  return startIfAmong(clusterCommands, typed)
}
