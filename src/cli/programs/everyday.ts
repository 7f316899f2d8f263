import { everydayCommands } from '../commands/everyday.ts'
import { startIfAmong } from './start-if-among.ts'

/** Runs the command line if it is one of an everyday command; false, and nothing done, if it is not. */
export function run(typed: readonly string[]): Promise<boolean> {
  return startIfAmong(everydayCommands, typed)
}
