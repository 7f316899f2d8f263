import type { Command } from '../command.ts'
import { typeFlag } from '../jobs/flags.ts'
import {
  absoluteTime,
  formatData,
  formatFields,
  formatTable,
  outputFlag,
  outputFormat,
  printable,
  ruledTable,
} from '../output.ts'

export const get: Command = {
  path: 'get',
  summary: 'Show one training job.',
  group: 'jobs',
  arguments: [{ name: 'JOB', meaning: 'name of the job' }],
  flags: [
    {
      name: 'events',
      short: 'e',
      type: 'boolean',
      default: false,
      meaning: 'Also show what happened to the job.',
    },
    {
      name: 'gpus',
      short: 'g',
      type: 'boolean',
      default: false,
      meaning: 'Also show the GPUs of each instance.',
    },
    outputFlag,
    typeFlag,
  ],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ durationText, explainReason, getJob, jobJson }, { shortDuration }, session] = await Promise.all([
      import('../../jobs/index.ts'),
      import('../../kube/index.ts'),
      context.connect(),
    ])
    const type = input.text('type')
    const { job, events } = await getJob(
      session.client,
      { namespace: session.namespace, name: input.arguments[0] ?? '' },
      { now: context.now(), signal: context.signal, ...(type !== undefined && { type }) },
    )
    if (format === 'json' || format === 'yaml') {
      context.print(await formatData({ ...jobJson(job), ...(input.flag('events') && { events }) }, format))
      return
    }
    if (format === 'name') {
      context.print(job.name)
      return
    }
    context.print(
      formatFields([
        ['Name', job.name],
        ['Status', job.state],
        ['Namespace', job.namespace],
        ['Priority', job.priority],
        ['Trainer', job.trainer],
        ['Duration', durationText(job)],
        ['CreateTime', absoluteTime(job.createdAt)],
        ['EndTime', job.endedAt === undefined ? '' : absoluteTime(job.endedAt)],
        ...(job.owner === '' ? [] : [['Owner', job.owner] as const]),
        ...(job.reason === undefined ? [] : [['Reason', job.reason.code] as const]),
      ]),
    )
    if (job.reason !== undefined) {
      context.print('')
      for (const line of explainReason(job.reason)) context.print(printable(line))
    }
    context.print('')
    context.print('Instances:')
    context.print(
      ruledTable(
        ['NAME', 'STATUS', 'AGE', 'IS_CHIEF', 'GPU(Requested)', 'NODE'],
        job.instances.map((instance) => [
          instance.name,
          instance.status,
          shortDuration(instance.ageMs),
          String(instance.isChief),
          String(instance.requestedGpus),
          instance.node,
        ]),
      ),
    )
    if (input.flag('gpus') && job.requestedGpus > 0) {
      context.print('')
      context.print(`Allocated/Requested GPUs of Job: ${job.allocatedGpus}/${job.requestedGpus}`)
    }
    const recorded = events?.find(({ reason }) => reason === 'ImageNotPulled')
    if (recorded !== undefined && !input.flag('events')) context.note(`note: ${printable(recorded.message)}`)
    if (!input.flag('events')) return
    context.print('')
    context.print('Events:')
    if (events === undefined) {
      context.print('(they may not be read)')
      return
    }
    const now = context.now().getTime()
    context.print(
      formatTable(
        ['SOURCE', 'TYPE', 'AGE', 'MESSAGE'],
        events.map((event) => [
          event.source,
          event.type,
          shortDuration(now - Date.parse(event.lastSeen)),
          `[${event.reason}] ${event.message}${event.count > 1 ? ` (${event.count} times)` : ''}`,
        ]),
      ),
    )
  },
}
