import type { Command } from '../command.ts'
import { typeFlag } from '../jobs/flags.ts'

export const deleteJob: Command = {
  path: 'delete',
  aliases: ['del'],
  summary: 'Delete training jobs.',
  group: 'jobs',
  arguments: [{ name: 'JOB', meaning: 'names of the jobs', variadic: true }],
  flags: [typeFlag],
  async run(input, context) {
    const [{ deleteJobs }, { reportError }, session] = await Promise.all([
      import('../../jobs/index.ts'),
      import('../report.ts'),
      context.connect(),
    ])
    const type = input.text('type')
    let status = 0
    const deletions = deleteJobs(
      session.client,
      { namespace: session.namespace, names: input.arguments },
      { signal: context.signal, ...(type !== undefined && { type }) },
    )
    for await (const deletion of deletions) {
      if (deletion.type === 'deleted') {
        context.print(`The training job ${deletion.name} has been deleted successfully`)
        continue
      }
      const report = reportError(deletion.error)
      for (const line of report.lines) context.note(line)
      // The first failure tells how the command ends; the others are told all the same.
      if (status === 0) status = report.exit
    }
    return status
  },
}
