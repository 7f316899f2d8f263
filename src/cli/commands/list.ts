import type { Command } from '../command.ts'
import { allNamespacesFlags, typeFlag } from '../job-flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const list: Command = {
  path: 'list',
  aliases: ['ls'],
  summary: 'List training jobs, and why those that wait do so.',
  group: 'jobs',
  flags: [...allNamespacesFlags, outputFlag, typeFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ durationText, jobJson, listJobs, reasonInLine }, session] = await Promise.all([
      import('../../jobs/index.ts'),
      context.connect(),
    ])
    const isEverywhere = input.flag('all-namespaces')
    const type = input.text('type')
    const jobs = await listJobs(session.client, {
      now: context.now(),
      signal: context.signal,
      ...(!isEverywhere && { namespace: session.namespace }),
      ...(type !== undefined && { type }),
    })
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
    const rows = jobs.map((job) => [
      ...(isEverywhere ? [job.namespace] : []),
      job.name,
      job.state,
      job.trainer,
      durationText(job),
      String(job.requestedGpus),
      job.state === 'PENDING' || job.state === 'RUNNING' ? String(job.allocatedGpus) : 'N/A',
      job.nodeIp,
      job.reason === undefined ? '' : reasonInLine(job.name, job.reason),
    ])
    context.print(formatTable(isEverywhere ? ['NAMESPACE', ...header] : header, rows))
  },
}
