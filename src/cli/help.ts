import type { Command, Flag } from './command.ts'
import { globalFlags } from './global-flags.ts'
import { currentFlags, groupHeadings, longForm, usageLine } from './usage.ts'

const width = 100

/** Help of the whole program or of a group of commands. */
export function groupHelp(path: string, commands: readonly Command[]): string {
  const lines =
    path === ''
      ? ['Share a GPU cluster: submit training jobs, see and manage your own, use what is yours.', '']
      : []
  lines.push('Usage:', `  arena ${path === '' ? '' : `${path} `}COMMAND [flags]`, '')
  const longest = Math.max(...commands.map((command) => command.path.length))
  for (const [group, heading] of Object.entries(groupHeadings)) {
    const members = commands.filter((command) => command.group === group)
    if (members.length === 0) continue
    lines.push(`${heading}:`)
    for (const command of members) lines.push(...entry(command.path, longest, command.summary))
    lines.push('')
  }
  lines.push(...flagLines('Flags of every command:', globalFlags))
  lines.push('', `Help for one command: arena ${path === '' ? '' : `${path} `}COMMAND --help`)
  return lines.join('\n')
}

/** Help of one command. */
export function commandHelp(command: Command): string {
  const visible = currentFlags(command)
  const lines = [command.summary, '', 'Usage:', `  ${usageLine(command)}`]
  if (command.aliases !== undefined && command.aliases.length > 0) {
    lines.push('', `Also: ${command.aliases.join(', ')}`)
  }
  if (command.description !== undefined) lines.push('', command.description.trim())
  if ((command.arguments ?? []).length > 0) {
    const longest = Math.max(...(command.arguments ?? []).map(({ name }) => name.length))
    lines.push('', 'Arguments:')
    for (const { name, meaning } of command.arguments ?? []) lines.push(...entry(name, longest, meaning))
  }
  if (visible.length > 0) {
    const required = visible.filter((flag) => flag.required === true)
    const others = visible.filter((flag) => flag.required !== true)
    if (required.length > 0) lines.push('', ...flagLines('Required flags:', required))
    lines.push('', ...flagLines('Flags:', others))
  }
  const own = new Set(visible.map(({ name }) => name))
  const general = globalFlags.filter(({ name }) => !own.has(name))
  lines.push('', ...flagLines('Flags of every command:', general))
  return lines.join('\n')
}

function flagLines(heading: string, flags: readonly Flag[]): string[] {
  const labels = flags.map(flagLabel)
  const longest = Math.min(Math.max(...labels.map(({ length }) => length)), 32)
  return [heading, ...flags.flatMap((flag, index) => entry(labels[index] ?? '', longest, meaningOf(flag)))]
}

function flagLabel(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}${longForm(flag)}`
}

function meaningOf(flag: Flag): string {
  const notes: string[] = []
  if (flag.choices !== undefined) notes.push(`one of ${flag.choices.filter(Boolean).join(', ')}`)
  const { default: fallback } = flag
  if (fallback !== undefined && fallback !== '' && fallback !== false && !Array.isArray(fallback)) {
    notes.push(`default ${String(fallback)}`)
  }
  if (flag.type === 'strings') notes.push('may be repeated')
  return notes.length === 0 ? flag.meaning : `${flag.meaning} (${notes.join('; ')})`
}

/** `  label   text`, with the text wrapped beside the label, or below a label that is too long. */
function entry(label: string, longest: number, text: string): string[] {
  const indent = longest + 5
  const wrapped: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width - indent) {
      wrapped.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  wrapped.push(line)
  const [first = '', ...others] = wrapped
  const rest = others.map((part) => `${' '.repeat(indent)}${part}`)
  return label.length > longest
    ? [`  ${label}`, `${' '.repeat(indent)}${first}`, ...rest]
    : [`  ${label.padEnd(longest)}   ${first}`, ...rest]
}
