import { once } from 'node:events'
import { UserError } from '../../errors.ts'
import type { Command, Input } from '../command.ts'
import { typeFlag } from '../jobs/flags.ts'

export const logs: Command = {
  path: 'logs',
  aliases: ['log'],
  summary: 'Print the log of a training job.',
  group: 'jobs',
  arguments: [{ name: 'JOB', meaning: 'name of the job' }],
  flags: [
    {
      name: 'follow',
      short: 'f',
      type: 'boolean',
      default: false,
      meaning: 'Wait for the job to start, and print on as it runs.',
    },
    {
      name: 'tail',
      short: 't',
      type: 'integer',
      default: -1,
      meaning: 'Only the last N lines; all when negative.',
    },
    { name: 'since', type: 'string', value: 'DURATION', meaning: 'Only lines newer than this, as in 5m.' },
    { name: 'since-time', type: 'string', value: 'TIME', meaning: 'Only lines after this RFC 3339 time.' },
    { name: 'timestamps', type: 'boolean', default: false, meaning: 'Begin each line with its time.' },
    {
      name: 'instance',
      short: 'i',
      type: 'string',
      value: 'POD',
      meaning: 'Pod to read; default is the chief.',
    },
    { name: 'container', short: 'c', type: 'string', value: 'NAME', meaning: 'Container to read.' },
    typeFlag,
  ],
  async run(input, context) {
    const [{ jobLogs }, session] = await Promise.all([import('../../jobs/index.ts'), context.connect()])
    const { parseDurationMs } = await import('../../kube/index.ts')
    const since = sinceSeconds(input, parseDurationMs)
    const optional = (name: string): string | undefined => input.text(name) || undefined
    const [type, instance, container] = [optional('type'), optional('instance'), optional('container')]
    const sinceTime = optional('since-time')
    const tail = input.integer('tail') ?? -1
    const chunks = jobLogs(
      session.client,
      { namespace: session.namespace, name: input.arguments[0] ?? '' },
      {
        follow: input.flag('follow'),
        timestamps: input.flag('timestamps'),
        now: context.now(),
        signal: context.signal,
        onNote: (text) => context.note(text),
        ...(type !== undefined && { type }),
        ...(instance !== undefined && { instance }),
        ...(container !== undefined && { container }),
        ...(sinceTime !== undefined && { sinceTime }),
        ...(since !== undefined && { sinceSeconds: since }),
        ...(tail > 0 && { tail }),
      },
    )
    for await (const chunk of chunks) {
      if (!context.stdout.write(chunk)) await once(context.stdout, 'drain', { signal: context.signal })
    }
  },
}

function sinceSeconds(input: Input, parse: (text: string) => number | undefined): number | undefined {
  const text = input.text('since') ?? ''
  if (text === '') return undefined
  const milliseconds = parse(text)
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new UserError('USAGE', `flag --since has the value "${text}", which is no duration`, {
      hint: 'write durations as 90s, 30m or 1h30m',
    })
  }
  if (input.text('since-time'))
    throw new UserError('USAGE', 'flags --since and --since-time exclude each other', {
      hint: 'leave one of them out',
    })
  return Math.ceil(milliseconds / 1000)
}
