import { UserError } from '../errors.ts'
import type { Command, Flag } from './command.ts'
import { globalFlags, ignoredGlobalFlags } from './global-flags.ts'
import { suggest } from './suggest.ts'

/** What the words of a command line lead to: one command, or a group of them. */
export type Target =
  | {
      readonly type: 'command'
      readonly command: Command
      /** What was typed, without the words that named the command. */
      readonly rest: readonly string[]
    }
  | {
      readonly type: 'group'
      /** '' for the whole program. */
      readonly path: string
      readonly commands: readonly Command[]
      readonly wantsHelp: boolean
    }

/** Every spelling of a command: its path, and the path with its last word replaced by each alias. */
function spellings(command: Command): readonly (readonly string[])[] {
  const words = command.path.split(' ')
  const parents = words.slice(0, -1)
  return [words, ...(command.aliases ?? []).map((alias) => [...parents, alias])]
}

/**
 * Finds the command that the words name. Flags may stand anywhere between them.
 *
 * @throws {UserError} `USAGE` for a word that names nothing.
 */
export function findCommand(commands: readonly Command[], typed: readonly string[]): Target {
  let candidates = commands.flatMap((command) => spellings(command).map((words) => ({ command, words })))
  const path: string[] = []
  const usedAt = new Set<number>()
  let wantsHelp = false
  for (let index = 0; index < typed.length; index += 1) {
    const word = typed[index] ?? ''
    if (word === '--') break
    if (word.startsWith('-') && word !== '-') {
      if (word === '-h' || word === '--help') wantsHelp = true
      if (
        takesNextWord(
          word,
          candidates.map(({ command }) => command),
        )
      )
        index += 1
      continue
    }
    const matching = candidates.filter(({ words }) => words[path.length] === word)
    if (matching.length === 0) {
      // A word that continues no command's name is an argument of the command found so far, or a mistake.
      if (candidates.some(({ words }) => words.length === path.length)) break
      if (path.length === 0 && word === 'help') {
        usedAt.add(index)
        wantsHelp = true
        continue
      }
      throw unknownCommand(
        path,
        word,
        candidates.map(({ words }) => words),
      )
    }
    candidates = matching
    path.push(word)
    usedAt.add(index)
    if (candidates.every(({ words }) => words.length === path.length)) break
  }
  const exact = candidates.find(({ words }) => path.length > 0 && words.length === path.length)
  if (exact !== undefined) {
    const rest = typed.filter((_, index) => !usedAt.has(index))
    return { type: 'command', command: exact.command, rest: wantsHelp ? ['--help', ...rest] : rest }
  }
  const members = [...new Set(candidates.map(({ command }) => command))]
  return { type: 'group', path: path.join(' '), commands: members, wantsHelp }
}

/** Does the word name a flag whose value is the next word? Decided before the command is known. */
function takesNextWord(word: string, commands: readonly Command[]): boolean {
  if (word.includes('=')) return false
  const flags: readonly Flag[] = [
    ...globalFlags,
    ...ignoredGlobalFlags,
    ...commands.flatMap((command) => command.flags ?? []),
  ]
  if (word.startsWith('--')) {
    const flag = flags.find(({ name }) => name === word.slice(2))
    // An unknown flag: as in the original tool it is taken to have a value only where one can follow.
    return flag !== undefined && flag.type !== 'boolean'
  }
  for (const [index, letter] of Array.from(word.slice(1)).entries()) {
    const flag = flags.find(({ short }) => short === letter)
    if (flag === undefined) return false
    if (flag.type !== 'boolean') return index === word.length - 2
  }
  return false
}

function unknownCommand(
  path: readonly string[],
  word: string,
  candidates: readonly (readonly string[])[],
): UserError {
  const near = suggest(word, new Set(candidates.map((words) => words[path.length] ?? '').filter(Boolean)))
  const typed = ['arena', ...path].join(' ')
  return new UserError('USAGE', `"${word}" is no command of ${typed}`, {
    hint: near === undefined ? `see: ${typed} --help` : `did you mean: ${typed} ${near}`,
  })
}
