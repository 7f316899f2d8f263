import type { Command, Flag } from './command.ts'
import { globalFlags } from './global-flags.ts'

/** The words that may follow each beginning of a command line, and the flags of each command. */
interface Words {
  readonly next: ReadonlyMap<string, readonly string[]>
  readonly flags: ReadonlyMap<string, readonly string[]>
}

/** A script that completes command words, flags and their choices; nothing for a shell that is not known. */
export function completionScript(shell: string, commands: readonly Command[]): string | undefined {
  const words = collect(commands)
  switch (shell) {
    case 'bash':
      return bashScript(words)
    case 'zsh':
      // zsh runs bash's completion functions once told to.
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`
    case 'fish':
      return fishScript(words)
    default:
      return undefined
  }
}

function collect(commands: readonly Command[]): Words {
  const next = new Map<string, string[]>()
  const flags = new Map<string, string[]>()
  const add = (before: string, word: string): void => {
    const words = next.get(before) ?? []
    if (!words.includes(word)) words.push(word)
    next.set(before, words)
  }
  for (const command of commands) {
    const words = command.path.split(' ')
    for (const [index, word] of words.entries()) add(words.slice(0, index).join(' '), word)
    const parent = words.slice(0, -1)
    const spelled = [command.path, ...(command.aliases ?? []).map((alias) => [...parent, alias].join(' '))]
    const names = [...(command.flags ?? []), ...globalFlags].filter(isShown).map(({ name }) => `--${name}`)
    for (const path of spelled) flags.set(path, names)
  }
  return { next, flags }
}

function isShown(flag: Flag): boolean {
  return flag.deprecatedFor === undefined
}

function bashScript({ next, flags }: Words): string {
  const cases = [...new Set([...next.keys(), ...flags.keys()])].map((path) => {
    const words = [...(next.get(path) ?? []), ...(flags.get(path) ?? [])].join(' ')
    return `    '${path}') words='${words}' ;;`
  })
  return `# Completion of arena for bash.
_arena() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= words= index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      -*) ;;
      *) path="\${path:+$path }\${COMP_WORDS[index]}" ;;
    esac
  done
  # Arguments after the command's name leave the command itself in charge.
  while :; do
    case $path in
${cases.map((line) => `  ${line}`).join('\n')}
      *)
        [[ $path == *' '* ]] || { words=; break; }
        path=\${path% *}
        continue ;;
    esac
    break
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _arena arena`
}

function fishScript({ next, flags }: Words): string {
  const lines = ['# Completion of arena for fish.', 'complete -c arena -f']
  for (const [path, words] of next) {
    const condition =
      path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`
    lines.push(`complete -c arena -n '${condition}' -a '${words.join(' ')}'`)
  }
  for (const [path, names] of flags) {
    const condition = path
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ')
    for (const name of names) lines.push(`complete -c arena -n '${condition}' -l ${name.slice(2)}`)
  }
  return lines.join('\n')
}
