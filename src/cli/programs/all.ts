import { commands } from '../commands/table.ts'
import { start } from '../start.ts'

/** Runs whatever the command line is: every command, help and what is wrong. */
export async function run(typed: readonly string[]): Promise<boolean> {
  await start(typed, commands)
  return true
}
