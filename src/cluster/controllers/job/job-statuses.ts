import { type Job, keyOf, kinds, parseKey, type Persisted, type SharedInformer } from '../../../kube/index.ts'
import type { ControllerContext } from '../controller.ts'
import { laterOf } from '../later.ts'
import type { JobStatus } from './job-pod.ts'

/** Jobs as they are known, what was just written included, and the writes of their status themselves. */
export class JobStatuses {
  readonly #context: ControllerContext
  readonly #jobs: SharedInformer<Job>
  readonly #latest = new Map<string, Persisted<Job>>()

  constructor(context: ControllerContext, jobs: SharedInformer<Job>) {
    this.#context = context
    this.#jobs = jobs
  }

  get(key: string): Persisted<Job> | undefined {
    return laterOf(this.#jobs.get(parseKey(key)), this.#latest.get(key))
  }

  /** Writes a status unless it says what is there. Returns the job as it is then. */
  async write(job: Persisted<Job>, status: JobStatus): Promise<Persisted<Job>> {
    const next = withoutZeros(status)
    if (JSON.stringify(sorted(next)) === JSON.stringify(sorted(job.status ?? {}))) return job
    const { client, signal } = this.#context
    const written = await client.replace(
      kinds.jobs,
      parseKey(keyOf(job)),
      { ...job, status: next },
      { subresource: 'status', signal },
    )
    this.#latest.set(keyOf(job), written)
    return written
  }

  forget(key: string): void {
    this.#latest.delete(key)
  }
}

/** The wire leaves counts of nothing out, except those that say "looked at, and none". */
function withoutZeros(status: JobStatus): JobStatus {
  const { active, succeeded, failed, ...rest } = status
  return {
    ...rest,
    ...(active ? { active } : {}),
    ...(succeeded ? { succeeded } : {}),
    ...(failed ? { failed } : {}),
  }
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
