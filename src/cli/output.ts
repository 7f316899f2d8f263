import { UserError } from '../errors.ts'
import type { Flag, Input } from './command.ts'

export type OutputFormat = 'wide' | 'json' | 'yaml' | 'name'

/** `-o`, as every command that shows something takes it. */
export const outputFlag: Flag = {
  name: 'output',
  short: 'o',
  type: 'string',
  default: 'wide',
  choices: ['wide', 'json', 'yaml', 'name'],
  value: 'FORMAT',
  meaning: 'Output format.',
}

/** The format that was asked for. */
export function outputFormat(input: Input): OutputFormat {
  const format = input.text('output') ?? 'wide'
  if (format === 'wide' || format === 'json' || format === 'yaml' || format === 'name') return format
  throw new UserError('USAGE', `output format "${format}" does not exist`)
}

/** A table with columns as wide as their longest cell and two blanks between them. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows.map((row) => row.map(printable))]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))))
  return lines
    .map((line) =>
      header
        .map((_, column) => {
          const cell = line[column] ?? ''
          return cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell))
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `Name:   value` lines, the values in one column. */
export function formatFields(fields: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...fields.map(([name]) => name.length)) + 1
  return fields
    .map(([name, value]) => `${`${name}:`.padEnd(longest)}  ${printable(value)}`.trimEnd())
    .join('\n')
}

/**
 * Text of other people, fit for a terminal: control characters, which could move the cursor or change what was printed
 * before, are spelled out, and lines become one.
 */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** JSON or YAML of a value, as the original tool prints them. */
export async function formatData(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return JSON.stringify(value, undefined, 4)
  const { dump } = await import('js-yaml')
  return dump(value, { noRefs: true, lineWidth: -1 }).trimEnd()
}

// East Asian wide characters and emoji take two columns in a terminal; combining marks take none.
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const zero = /\p{Mn}|\p{Me}|\p{Cf}/u

function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += zero.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/** A table with a row of dashes under its header. */
export function ruledTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return formatTable(header, [header.map((name) => '-'.repeat(name.length)), ...rows])
}

/** `YYYY-MM-DD HH:MM:SS` in local time. */
export function absoluteTime(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ''
  const two = (value: number): string => String(value).padStart(2, '0')
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  )
}
