import type { KubeClient } from '../kube/index.ts'
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
  const byNamespace = new Map<string, typeof jobs>()
  for (const job of jobs) byNamespace.set(job.namespace, [...(byNamespace.get(job.namespace) ?? []), job])
  return jobs
    .map((job) => {
      const around = { jobs: byNamespace.get(job.namespace) ?? [], now }
      const here = quotas.get(job.namespace)
      return viewJob(job, here === undefined ? around : { ...around, quotas: here })
    })
    .sort(newestFirst)
}

function newestFirst(a: JobView, b: JobView): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1
  const left = `${a.namespace}/${a.name}`
  const right = `${b.namespace}/${b.name}`
  return left === right ? 0 : left < right ? 1 : -1
}
