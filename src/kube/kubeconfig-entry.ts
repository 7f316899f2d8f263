import { UserError } from '../errors.ts'

/** The fields of an entry; relative paths in it are relative to `directory`. */
export interface Fields {
  readonly fields: Readonly<Record<string, unknown>>
  readonly directory: string
  readonly file: string
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is said of a kubeconfig with a fault. */
export function invalid(
  file: string,
  fault: string,
  cause?: unknown,
  options: { hint?: string } = {},
): UserError {
  return new UserError('CONFIG_INVALID', `kubeconfig ${file} has a fault: ${fault}`, {
    hint: options.hint ?? `mend ${file}, or name another file with --config FILE`,
    cause,
  })
}
