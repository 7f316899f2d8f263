import type { JobView } from '../../jobs/index.ts'
import type { CommandContext, Input, Session } from '../command.ts'
import { formatTable } from '../output.ts'

export interface JobListing {
  /** The newest first. */
  readonly jobs: readonly JobView[]
  readonly session: Session
  /** Jobs of all namespaces: each says in which it is. */
  readonly isEverywhere: boolean
}

/** The jobs that `--all-namespaces`, `--namespace` and `--type` ask for. @throws {StatusError} `Forbidden` where the user may not look. */
export async function listAskedFor(input: Input, context: CommandContext): Promise<JobListing> {
  const [{ listJobs }, session] = await Promise.all([import('../../jobs/index.ts'), context.connect()])
  const isEverywhere = input.flag('all-namespaces')
  const type = input.text('type')
  const jobs = await listJobs(session.client, {
    now: context.now(),
    signal: context.signal,
    ...(!isEverywhere && { namespace: session.namespace }),
    ...(type !== undefined && { type }),
  })
  return { jobs, session, isEverywhere }
}

/** A table of jobs, with their namespaces where those differ. */
export function jobTable(
  { jobs, isEverywhere }: Pick<JobListing, 'jobs' | 'isEverywhere'>,
  header: readonly string[],
  cells: (job: JobView) => readonly string[],
): string {
  if (!isEverywhere) return formatTable(header, jobs.map(cells))
  const rows = jobs.map((job) => [job.namespace, ...cells(job)])
  return formatTable(['NAMESPACE', ...header], rows)
}
