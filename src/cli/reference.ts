import { errorCodes, exitStatuses } from '../errors.ts'
import type { Command, Flag } from './command.ts'
import { globalFlags } from './global-flags.ts'
import { currentFlags, groupHeadings, longForm, usageLine } from './usage.ts'

const origin = '<!-- Made by scripts/reference.mjs. Edit the sources, not this page. -->'

/** The page `docs/commands.md`: every command with its arguments and flags. */
export function commandReference(commands: readonly Command[]): string {
  const lines = ['# Commands', '', origin, '']
  for (const [group, heading] of Object.entries(groupHeadings)) {
    const members = commands.filter((command) => command.group === group)
    if (members.length === 0) continue
    lines.push(
      `- ${heading}: ${members.map(({ path }) => `[${path}](#arena-${path.replaceAll(' ', '-')})`).join(', ')}`,
    )
  }
  lines.push('', '## Flags of every command', '', ...flagTable(globalFlags))
  for (const [group, heading] of Object.entries(groupHeadings)) {
    const members = commands.filter((command) => command.group === group)
    if (members.length === 0) continue
    lines.push('', `## ${heading}`)
    for (const command of members) lines.push('', ...section(command))
  }
  return `${lines.join('\n')}\n`
}

function section(command: Command): string[] {
  const flags = currentFlags(command)
  const old = (command.flags ?? []).filter(({ deprecatedFor }) => deprecatedFor !== undefined)
  return [
    `### arena ${command.path}`,
    '',
    command.summary,
    '',
    '```',
    usageLine(command),
    '```',
    ...(command.aliases === undefined || command.aliases.length === 0
      ? []
      : ['', `Also: ${command.aliases.map((alias) => `\`${alias}\``).join(', ')}`]),
    ...(command.description === undefined ? [] : ['', '```text', command.description.trim(), '```']),
    ...((command.arguments ?? []).length === 0
      ? []
      : ['', ...(command.arguments ?? []).map(({ name, meaning }) => `- \`${name}\`: ${cell(meaning)}`)]),
    ...(flags.length === 0 ? [] : ['', ...flagTable(flags)]),
    ...(old.length === 0
      ? []
      : [
          '',
          `Old spellings that still work: ${old.map(({ name, deprecatedFor }) => `\`--${name}\` (\`--${deprecatedFor}\`)`).join(', ')}`,
        ]),
  ]
}

function flagTable(flags: readonly Flag[]): string[] {
  return [
    '| flag | meaning | default |',
    '|---|---|---|',
    ...flags.map((flag) => {
      const short = flag.short === undefined ? '' : `\`-${flag.short}\`, `
      const choices = flag.choices?.filter(Boolean).map((choice) => `\`${choice}\``)
      const notes = [
        ...(flag.required === true ? ['Required.'] : []),
        flag.meaning,
        ...(choices === undefined ? [] : [`One of ${choices.join(', ')}.`]),
        ...(flag.type === 'strings' ? ['May be repeated.'] : []),
      ]
      const { default: fallback } = flag
      const shown =
        fallback === undefined || fallback === '' || Array.isArray(fallback) ? '' : `\`${String(fallback)}\``
      return `| ${short}\`${longForm(flag)}\` | ${cell(notes.join(' '))} | ${shown} |`
    }),
  ]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** The page `docs/errors.md`: every error that a user can meet. */
export function errorReference(): string {
  const codes = Object.entries(errorCodes)
  return `${[
    '# Errors',
    '',
    origin,
    '',
    'Expected failures are printed as `error:` with a message and, where there is one, `hint:` with what to do next.',
    'Anything else is a fault of Arena and shows its stack. `--loglevel=debug` shows the cause of an expected failure.',
    '',
    '| exit status | meaning |',
    '|---|---|',
    ...Object.entries(exitStatuses).map(([exit, meaning]) => `| ${exit} | ${cell(meaning)} |`),
    '',
    '| code | exit status | meaning |',
    '|---|---|---|',
    ...codes.map(([code, { exit, meaning }]) => `| \`${code}\` | ${exit} | ${cell(meaning)} |`),
    '',
    '## Why a job waits',
    '',
    'These reasons are the same in `arena list`, `arena get`, their JSON and everywhere else.',
    '',
    '| reason | meaning |',
    '|---|---|',
    ...reasons.map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
  ].join('\n')}\n`
}

const reasons: readonly (readonly [string, string])[] = [
  [
    'QuotaExceeded',
    "The group's quota has no room now. The job starts by itself when other jobs of the group end.",
  ],
  [
    'NeverFits',
    'More than the group or any node will ever have. `arena submit` refuses it; nothing is created.',
  ],
  ['RequestsMissing', 'The quota limits CPU or memory, and the job names none. `arena submit` refuses it.'],
  ['InsufficientNodes', 'The quota has room, but no node has. The job starts by itself when one has.'],
  ['NodeMismatch', 'No node has the labels that the job wants, or it does not tolerate their taints.'],
  ['VolumeUnbound', 'A volume of the job is not there yet.'],
  [
    'VolumeForbidden',
    'The cluster refuses the pods of the job, mostly for a volume or for reaching into the machine.',
  ],
  ['ImagePullFailed', 'The image cannot be fetched.'],
  ['Suspended', 'A queue, or a person, holds the job back.'],
  ['GangIncomplete', 'Some pods of a gang run and wait for the others.'],
  ['OperatorMissing', 'Nothing in the cluster takes care of this kind of job.'],
  ['Crashed', 'A container ended with an error or does not stay up.'],
]
