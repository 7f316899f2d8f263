import { resolve } from 'node:path'
import type { CommandContext, Flag, Input } from '../command.ts'

/** Flags that the commands about the organisation share. */
export const fileFlag: Flag = {
  name: 'file',
  short: 'f',
  type: 'string',
  default: 'org.yaml',
  value: 'FILE',
  meaning: 'Organisation file.',
}

export const yesFlag: Flag = { name: 'yes', short: 'y', type: 'boolean', meaning: 'Ask no questions.' }

export const allowDestroyFlag: Flag = {
  name: 'allow-destroy',
  type: 'boolean',
  meaning: 'Allow changes that destroy something or lock somebody out.',
}

export const adoptFlag: Flag = {
  name: 'adopt',
  type: 'boolean',
  meaning: 'Take over objects of the needed names that nobody manages.',
}

/** The organisation file as typed, for messages, and where it is. */
export function organisationFile(input: Input, context: CommandContext): { name: string; path: string } {
  const name = input.text('file') ?? 'org.yaml'
  return { name, path: resolve(context.workingDirectory, name) }
}

/** May questions be asked? Only of a person at a terminal who did not say --yes. */
export function mayAsk(input: Input, context: CommandContext): boolean {
  return !input.flag('yes') && isTerminal(context.stdin) && isTerminal(context.stderr)
}

export function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}
