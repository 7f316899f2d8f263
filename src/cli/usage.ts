import type { Command, Flag } from './command.ts'

/** Headings of the groups of commands, in the order in which help and reference show them. */
export const groupHeadings: Readonly<Record<Command['group'], string>> = {
  jobs: 'Jobs',
  data: 'Data',
  organisation: 'Organisation',
  cluster: 'Cluster',
  other: 'Other',
}

/** Flags to be told of: those that are no old spelling of another. */
export function currentFlags({ flags = [] }: Command): readonly Flag[] {
  return flags.filter(({ deprecatedFor }) => deprecatedFor === undefined)
}

/** `arena get [flags] JOB`, as help and reference show how a command is written. */
export function usageLine(command: Command): string {
  const words = (command.arguments ?? []).map(({ name, optional, variadic }) => {
    const word = variadic === true ? `${name}...` : name
    return optional === true ? `[${word}]` : word
  })
  const flags = currentFlags(command).length > 0 ? ['[flags]'] : []
  return ['arena', command.path, ...flags, ...words].join(' ')
}

/** `--gpus N`: a flag with what its value is called. */
export function longForm({ name, type, value }: Flag): string {
  const placeholder = value ?? (type === 'integer' ? 'N' : type === 'boolean' ? '' : 'VALUE')
  return placeholder === '' ? `--${name}` : `--${name} ${placeholder}`
}
