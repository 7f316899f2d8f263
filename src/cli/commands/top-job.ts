import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { allNamespacesFlags, typeFlag } from '../jobs/flags.ts'
import { jobTable, listAskedFor } from '../jobs/listing.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const topJob: Command = {
  path: 'top job',
  summary: 'Show the GPUs of training jobs.',
  group: 'jobs',
  arguments: [{ name: 'JOB', meaning: 'only this job, with its instances', optional: true }],
  flags: [
    ...allNamespacesFlags,
    { name: 'instance', short: 'i', type: 'string', value: 'POD', meaning: 'Only this instance of the job.' },
    outputFlag,
    typeFlag,
  ],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ durationText, jobJson }, listing] = await Promise.all([
      import('../../jobs/index.ts'),
      listAskedFor(input, context),
    ])
    const [name] = input.arguments
    const jobs = listing.jobs
      .filter((job) => name === undefined || job.name === name)
      .sort((a, b) => b.requestedGpus - a.requestedGpus)
    const [first] = jobs
    if (name !== undefined && first === undefined) {
      throw new UserError('NOT_FOUND', `there is no job "${name}" in ${listing.session.namespace}`, {
        hint: 'see: arena list',
      })
    }
    if (format === 'json' || format === 'yaml') {
      const shown = jobs.map(jobJson)
      context.print(await formatData(name === undefined ? shown : shown[0], format))
      return
    }
    if (format === 'name') {
      for (const job of jobs) context.print(job.name)
      return
    }
    if (name !== undefined && first !== undefined) {
      const instance = input.text('instance')
      context.print(
        formatTable(
          ['NAME', 'STATUS', 'GPU(Request)', 'NODE'],
          first.instances
            .filter((each) => instance === undefined || each.name === instance)
            .map((each) => [each.name, each.status, String(each.requestedGpus), each.node]),
        ),
      )
      context.print('')
      context.print(`Allocated/Requested GPUs of Job: ${first.allocatedGpus}/${first.requestedGpus}`)
      return
    }
    const header = ['NAME', 'STATUS', 'TRAINER', 'AGE', 'GPU(Requested)', 'GPU(Allocated)', 'NODE']
    context.print(
      jobTable({ ...listing, jobs }, header, (job) => [
        job.name,
        job.state,
        job.trainer,
        durationText(job),
        String(job.requestedGpus),
        String(job.allocatedGpus),
        job.nodeIp,
      ]),
    )
    const running = jobs.filter(({ state }) => state === 'RUNNING')
    const sum = (of: 'allocatedGpus' | 'requestedGpus'): number =>
      running.reduce((total, job) => total + job[of], 0)
    context.print('')
    context.print(
      `Total Allocated/Requested GPUs of Training Jobs: ${sum('allocatedGpus')}/${sum('requestedGpus')}`,
    )
  },
}
