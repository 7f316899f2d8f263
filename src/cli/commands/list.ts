import type { Command } from '../command.ts'
import { allNamespacesFlags, typeFlag } from '../jobs/flags.ts'
import { jobTable, listAskedFor } from '../jobs/listing.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const list: Command = {
  path: 'list',
  aliases: ['ls'],
  summary: 'List training jobs, and why those that wait do so.',
  group: 'jobs',
  flags: [...allNamespacesFlags, outputFlag, typeFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ durationText, jobJson, reasonInLine }, listing] = await Promise.all([
      import('../../jobs/index.ts'),
      listAskedFor(input, context),
    ])
    const { jobs } = listing
    if (format === 'json' || format === 'yaml') {
      context.print(await formatData(jobs.map(jobJson), format))
      return
    }
    if (format === 'name') {
      for (const job of jobs) context.print(job.name)
      return
    }
    const header = [
      'NAME',
      'STATUS',
      'TRAINER',
      'DURATION',
      'GPU(Requested)',
      'GPU(Allocated)',
      'NODE',
      'REASON',
    ]
    const table = jobTable(listing, header, (job) => [
      job.name,
      job.state,
      job.trainer,
      durationText(job),
      String(job.requestedGpus),
      job.state === 'PENDING' || job.state === 'RUNNING' ? String(job.allocatedGpus) : 'N/A',
      job.nodeIp,
      job.reason === undefined ? '' : reasonInLine(job.name, job.reason),
    ])
    context.print(table)
  },
}
