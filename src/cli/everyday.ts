import { UserError } from '../errors.ts'
import { everydayCommands } from './commands/everyday.ts'
import { findCommand } from './command-tree.ts'
import { start } from './start.ts'

/** Runs the command line if it is one of an everyday command; false, and nothing done, if it is not. */
export async function startEveryday(typed: readonly string[]): Promise<boolean> {
  try {
    if (findCommand(everydayCommands, typed).type !== 'command') return false
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
  await start(typed, everydayCommands)
  return true
}
