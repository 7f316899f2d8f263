import { UserError } from '../errors.ts'
import type { Command, Flag, Input } from './command.ts'
import { globalFlags, ignoredGlobalFlags } from './global-flags.ts'
import { suggest } from './suggest.ts'

/** A command line after parsing. */
export interface ParsedInput extends Input {
  /** Old spellings that were used, with the flag to use instead. */
  readonly deprecated: readonly { readonly used: string; readonly instead: string }[]
}

/**
 * Reads flags and arguments the way the original tool's library (pflag) does: `--flag value`, `--flag=value`,
 * `-f value`, `-fvalue`, `-f=value`, `-abc` for booleans, `--bool=false`, lists by repetition, `--` ends the flags.
 *
 * @throws {UserError} `USAGE`
 */
export function parseInput(command: Command, typed: readonly string[]): ParsedInput {
  // A command's own flag takes the place of a general one of the same name.
  const flags = [...ignoredGlobalFlags, ...globalFlags, ...(command.flags ?? [])]
  const byName = new Map(flags.map((flag) => [flag.name, flag]))
  const byLetter = new Map(flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag]])))
  const given = new Map<string, string[]>()
  const deprecated: { used: string; instead: string }[] = []
  const words: string[] = []

  function set(flag: Flag, value: string, spelled: string): void {
    const checked = check(flag, value, spelled)
    const target = flag.deprecatedFor ?? flag.name
    if (flag.deprecatedFor !== undefined) deprecated.push({ used: spelled, instead: `--${target}` })
    if (flag.type === 'strings') given.set(target, [...(given.get(target) ?? []), checked])
    else given.set(target, [checked])
  }

  for (let index = 0; index < typed.length; index += 1) {
    const word = typed[index] ?? ''
    if (word === '--') {
      words.push(...typed.slice(index + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word)
      continue
    }
    const next = (spelled: string): string => {
      index += 1
      const value = typed[index]
      if (value === undefined) throw usage(command, `flag ${spelled} needs a value`)
      return value
    }
    if (word.startsWith('--')) readLong(word, next)
    else readShort(word, next)
  }

  function readLong(word: string, next: (spelled: string) => string): void {
    const equals = word.indexOf('=')
    const name = word.slice(2, equals < 0 ? undefined : equals)
    const flag = byName.get(name)
    if (flag === undefined) throw unknownFlag(command, `--${name}`, words.length > 0, flags)
    const spelled = `--${name}`
    if (equals >= 0) set(flag, word.slice(equals + 1), spelled)
    else set(flag, flag.type === 'boolean' ? 'true' : next(spelled), spelled)
  }

  function readShort(word: string, next: (spelled: string) => string): void {
    for (let at = 1; at < word.length; at += 1) {
      const letter = word[at] ?? ''
      const flag = byLetter.get(letter)
      if (flag === undefined) throw unknownFlag(command, `-${letter}`, words.length > 0, flags)
      const rest = word.slice(at + 1)
      if (rest.startsWith('=')) {
        set(flag, rest.slice(1), `-${letter}`)
        return
      }
      if (flag.type !== 'boolean') {
        set(flag, rest === '' ? next(`-${letter}`) : rest, `-${letter}`)
        return
      }
      set(flag, 'true', `-${letter}`)
    }
  }

  const input = inputOf(words, given, byName)
  // Help is wanted exactly when something is not known yet, so what is missing must not stand in its way.
  if (!input.flag('help')) checkComplete(command, input)
  return { ...input, deprecated }
}

function inputOf(
  words: readonly string[],
  given: ReadonlyMap<string, readonly string[]>,
  flags: ReadonlyMap<string, Flag>,
): Input {
  const valueOf = (name: string): string | undefined => {
    const value = given.get(name)?.at(-1)
    if (value !== undefined) return value
    const fallback = flags.get(name)?.default
    return fallback === undefined || Array.isArray(fallback) ? undefined : String(fallback)
  }
  return {
    arguments: words,
    text: valueOf,
    texts: (name) => {
      const fallback = flags.get(name)?.default
      return given.get(name) ?? (Array.isArray(fallback) ? fallback.map(String) : [])
    },
    flag: (name) => valueOf(name) === 'true',
    integer: (name) => {
      const value = valueOf(name)
      return value === undefined || value === '' ? undefined : Number(value)
    },
    isGiven: (name) => given.has(name),
  }
}

const truths: Readonly<Record<string, string>> = {
  '1': 'true',
  t: 'true',
  true: 'true',
  '0': 'false',
  f: 'false',
  false: 'false',
}

function check(flag: Flag, value: string, spelled: string): string {
  const fault = (what: string): UserError =>
    new UserError('USAGE', `flag ${spelled} has the value "${value}", which is ${what}`)
  if (flag.type === 'boolean') {
    const truth = truths[value.toLowerCase()]
    if (truth === undefined) throw fault('neither true nor false')
    return truth
  }
  if (flag.type === 'integer') {
    const number = Number(value)
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number)) throw fault('no whole number')
    return String(number)
  }
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    const near = suggest(value, flag.choices)
    throw new UserError('USAGE', `flag ${spelled} has the value "${value}", which it does not know`, {
      hint: `use one of: ${flag.choices.filter(Boolean).join(', ')}${near === undefined ? '' : ` (did you mean ${near}?)`}`,
    })
  }
  return value
}

function checkComplete(command: Command, input: Input): void {
  for (const flag of command.flags ?? []) {
    if (flag.required === true && (input.text(flag.name) ?? '') === '') {
      throw usage(command, `flag --${flag.name} is required`)
    }
  }
  const parameters = command.arguments ?? []
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.optional !== true && input.arguments.length <= index) {
      throw usage(command, `${parameter.name} is missing: ${parameter.meaning}`)
    }
  }
  if (!parameters.some(({ variadic }) => variadic) && input.arguments.length > parameters.length) {
    throw usage(command, `"${input.arguments[parameters.length]}" is one argument too many`)
  }
}

function usage(command: Command, message: string): UserError {
  return new UserError('USAGE', message, { hint: `see: arena ${command.path} --help` })
}

function unknownFlag(
  command: Command,
  spelled: string,
  isAfterWords: boolean,
  flags: readonly Flag[],
): UserError {
  const near = spelled.startsWith('--')
    ? suggest(
        spelled.slice(2),
        flags.filter(({ deprecatedFor }) => deprecatedFor === undefined).map(({ name }) => name),
      )
    : undefined
  const isPartOfCommand = isAfterWords && command.arguments?.some(({ variadic }) => variadic) === true
  return new UserError('USAGE', `unknown flag ${spelled} for arena ${command.path}`, {
    hint:
      near !== undefined
        ? `did you mean: --${near}`
        : isPartOfCommand
          ? 'if it belongs to the command of the job, put that command in quotes, or write -- before it'
          : `see: arena ${command.path} --help`,
  })
}
