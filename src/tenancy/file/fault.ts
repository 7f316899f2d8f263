import { UserError } from '../../errors.ts'

/** One thing that is wrong in an organisation file, and where. Lines and columns count from 1. */
export interface Fault {
  /** Starts with the thing, quotes the value, states the fact. */
  readonly message: string
  /** An edit that mends it. */
  readonly hint?: string
  readonly line: number
  readonly column: number
  /** The offending text as it stands in the file. */
  readonly text: string
}

/**
 * The text with every password and hash of one blotted out, in its length: what is wrong in a file ends up in logs and in
 * the windows of others.
 */
function masked(source: string): string {
  const secret = /(["']?\bpassword\w*["']?\s*:\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}#]+)/gi
  return source.replace(secret, (_, key: string, value: string) => key + '*'.repeat(value.length))
}

/** All faults of one file, in its order, as text for a person. */
function describeFaults(file: string, source: string, faults: readonly Fault[]): string {
  const lines = masked(source).split('\n')
  const width = String(faults.at(-1)?.line ?? 1).length
  return faults
    .map((fault) => {
      const where = `${file}:${fault.line}:${fault.column}: ${fault.message}`
      const { line, column } = around((lines[fault.line - 1] ?? '').replace(/\r$/, ''), fault.column)
      const underline = '^'.repeat(Math.max(1, Math.min(fault.text.length, line.length - column + 1)))
      const shown = [
        `  ${String(fault.line).padStart(width)} | ${line}`,
        `  ${' '.repeat(width)} | ${' '.repeat(column - 1)}${underline}`,
      ]
      return [where, ...shown, ...(fault.hint ? [`  hint: ${fault.hint}`] : [])].join('\n')
    })
    .join('\n')
}

/** Longer lines are shown in part. */
const longestLine = 100
/** So much is shown before the place of a fault. */
const before = 40

/** The part of a long line around a column, and where that column is in it. */
function around(line: string, column: number): { readonly line: string; readonly column: number } {
  if (line.length <= longestLine) return { line, column }
  const start = Math.max(0, Math.min(column - 1 - before, line.length - longestLine))
  const left = start > 0 ? '...' : ''
  const right = start + longestLine < line.length ? '...' : ''
  const part = line.slice(start + left.length, start + longestLine - right.length)
  return { line: left + part + right, column: column - start }
}

/** An organisation file with faults. `faults` has them one by one, for editors and `-o json`. */
export class OrgFileError extends UserError {
  readonly faults: readonly Fault[]
  readonly file: string

  constructor(file: string, source: string, faults: readonly Fault[]) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
    super(
      'ORG_FILE_INVALID',
      `organisation file "${file}" has ${count}\n${describeFaults(file, source, faults)}`,
      {
        hint: `mend the lines above, then run: arena org check -f ${file}`,
      },
    )
    this.name = 'OrgFileError'
    const lines = masked(source).split('\n')
    this.faults = faults.map((fault) => {
      const start = fault.column - 1
      const text = (lines[fault.line - 1] ?? '').slice(start, start + fault.text.length)
      return { ...fault, text }
    })
    this.file = file
  }
}
