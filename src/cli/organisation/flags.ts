import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
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
  meaning: 'Allow changes that destroy something or take rights from somebody.',
}

export const adoptFlag: Flag = {
  name: 'adopt',
  type: 'boolean',
  meaning: 'Take over objects of the needed names that nobody manages.',
}

export const waitFlag: Flag = {
  name: 'wait',
  type: 'string',
  default: '30s',
  value: 'DURATION',
  meaning: 'How long to wait for another command that is changing the same.',
}

export const untilFlag: Flag = {
  name: 'until',
  type: 'string',
  value: 'DATE',
  meaning: 'Last day, as in 2027-03-31.',
}

/**
 * The last day of a grant, if it has one.
 *
 * @throws {UserError} `USAGE` when it is no day, or has passed: such a grant would take what it names
 */
export function lastDay(input: Input, context: CommandContext): string | undefined {
  const until = input.text('until')
  if (until === undefined) return undefined
  const day = new Date(`${until}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(until) || !isSameDay(day, until)) {
    throw new UserError('USAGE', `--until "${until}" is no day of the calendar`, {
      hint: 'write a date such as 2027-03-31',
    })
  }
  if (context.now().toISOString().slice(0, 10) <= until) return until
  throw new UserError('USAGE', `--until ${until} has passed`, {
    hint: 'name a day to come; what is to end now is taken with revoke',
  })
}

function isSameDay(day: Date, text: string): boolean {
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
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

/** Questions go to standard error, as what a command prints may go to a file. */
export function promptStreams({ stdin, stderr, signal }: CommandContext) {
  return { input: stdin, output: stderr, signal }
}

export function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}
