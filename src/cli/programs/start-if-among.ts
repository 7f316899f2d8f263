import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { findCommand } from '../command-tree.ts'
import { start } from '../start.ts'

/** Runs the command line if it is one of these commands; false, and nothing done, if it is not. */
export async function startIfAmong(commands: readonly Command[], typed: readonly string[]): Promise<boolean> {
  try {
    if (findCommand(commands, typed).type !== 'command') return false
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
  await start(typed, commands)
  return true
}
