import type { Command } from '../command.ts'
import { completion } from './completion.ts'
import { version } from './version.ts'

/** Every command of `arena`, in the order of the help. */
export const commands: readonly Command[] = [version, completion]
