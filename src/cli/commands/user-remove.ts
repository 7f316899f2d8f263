import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { allowDestroyFlag, fileFlag, waitFlag, yesFlag } from '../organisation/flags.ts'
import { outputFlag } from '../output.ts'

export const userRemove: Command = {
  path: 'user remove',
  summary: 'Let somebody leave: credentials, jobs, data, accounts and the organisation file.',
  description: `
The account goes first: its credentials are dead at once. Then the jobs are dealt with, then, as root on the client host,
the Linux account is locked; homes are never deleted. A receipt is written beside the organisation file; with --undo the
user comes back as they were, within the time that --undo-within set.

Examples:
  arena user remove bob --jobs stop --data keep
  arena user remove bob --jobs hand-to tom --data hand-to tom
  arena user remove bob --undo`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The user.' },
    { name: 'USER', meaning: 'Who gets what is handed over.', optional: true, variadic: true },
  ],
  flags: [
    {
      name: 'jobs',
      type: 'string',
      default: 'stop',
      value: 'stop|keep|hand-to USER',
      meaning: 'What becomes of the jobs.',
    },
    {
      name: 'data',
      type: 'string',
      default: 'keep',
      value: 'keep|hand-to USER',
      meaning: 'What becomes of the home.',
    },
    { name: 'undo', type: 'boolean', meaning: 'Bring the user back.' },
    {
      name: 'undo-within',
      type: 'string',
      default: '168h',
      value: 'DURATION',
      meaning: 'How long --undo is possible, as in 7d.',
    },
    { name: 'no-host', type: 'boolean', meaning: 'Leave the accounts of this machine alone.' },
    {
      name: 'root',
      type: 'string',
      default: '/',
      value: 'DIR',
      meaning: 'Deal with the accounts below this directory, as of an image.',
    },
    fileFlag,
    yesFlag,
    allowDestroyFlag,
    waitFlag,
    outputFlag,
  ],
  async run(input, context) {
    const [name = '', ...receivers] = input.arguments
    if (input.flag('undo')) {
      const decided = ['jobs', 'data', 'undo-within', 'root'].find((flag) => input.isGiven(flag))
      if (decided !== undefined) {
        throw new UserError('USAGE', `--${decided} says how somebody leaves, and --undo brings them back`, {
          hint: `undoing gives back what was handed over: arena user remove ${name} --undo`,
        })
      }
      if (receivers.length > 0) throw usage(`"${receivers.join(' ')}" belongs to no flag`)
      const { bringBack } = await import('../organisation/bring-back.ts')
      return bringBack(name, input, context)
    }
    const { letGo } = await import('../organisation/leave.ts')
    const waiting = [...receivers]
    const decide = (flag: 'jobs' | 'data', choices: readonly string[]): Decision => {
      const [choice = '', stated] = (input.text(flag) ?? '').split(/[ =:]/)
      if (choice !== 'hand-to') {
        if (choices.includes(choice)) return { do: choice }
        throw usage(`--${flag} "${choice}" is none of: ${choices.join(', ')}, hand-to USER`)
      }
      const receiver = stated ?? waiting.shift()
      if (receiver === undefined) throw usage(`--${flag} hand-to names nobody`)
      return { do: 'hand-to', to: receiver }
    }
    const jobs = decide('jobs', ['stop', 'keep'])
    const data = decide('data', ['keep'])
    if (waiting.length > 0) throw usage(`"${waiting.join(' ')}" belongs to no flag`)
    await letGo({ name, jobs, data }, input, context)
  },
}

/** What to do with jobs or data. */
export interface Decision {
  readonly do: string
  readonly to?: string
}

function usage(message: string): UserError {
  return new UserError('USAGE', message, {
    hint: 'as in: arena user remove bob --jobs hand-to tom --data keep',
  })
}
