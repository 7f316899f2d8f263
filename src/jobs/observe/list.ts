import type { KubeClient } from '../../kube/index.ts'
import type { ObservedJob, Surroundings } from './observed.ts'
import { type ReadOptions, readJobs } from './read-jobs.ts'
import { type JobView, viewJob } from './view.ts'

/**
 * Lists jobs, the newest first.
 *
 * @throws {StatusError} `Forbidden` where the user may not look.
 */
export async function listJobs(
  client: KubeClient,
  options: ReadOptions & { readonly now: Date },
): Promise<readonly JobView[]> {
  const { jobs, quotas } = await readJobs(client, options)
  const now = options.now.getTime()
  const byNamespace = new Map<string, ObservedJob[]>()
  for (const job of jobs) {
    const here = byNamespace.get(job.namespace)
    if (here === undefined) byNamespace.set(job.namespace, [job])
    else here.push(job)
  }
  const surroundings = new Map(
    [...byNamespace].map(([namespace, here]): [string, Surroundings] => {
      const own = quotas.get(namespace)
      return [namespace, { jobs: here, now, ...(own && { quotas: own }) }]
    }),
  )
  return jobs
    .map((job) => viewJob(job, surroundings.get(job.namespace) ?? { jobs: [], now }))
    .sort(newestFirst)
}

function newestFirst(a: JobView, b: JobView): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1
  const left = `${a.namespace}/${a.name}`
  const right = `${b.namespace}/${b.name}`
  return left === right ? 0 : left < right ? 1 : -1
}
