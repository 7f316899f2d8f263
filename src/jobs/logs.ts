import { UserError } from '../errors.ts'
import {
  failureOf,
  type KubeClient,
  kinds,
  objectPath,
  type Persisted,
  type Pod,
  startInformer,
  StatusError,
} from '../kube/index.ts'
import { explainJob } from './explain/explain.ts'
import { chiefOf, isFinished, type ObservedJob, type Surroundings } from './observe/observed.ts'
import { readJob } from './observe/read-jobs.ts'

/** Which instance to read, and how much of it. */
export interface LogOptions {
  readonly type?: string
  /** A pod of the job; the chief when left out. */
  readonly instance?: string
  readonly container?: string
  readonly follow?: boolean
  /** The last so many lines; all when left out. */
  readonly tail?: number
  readonly sinceSeconds?: number
  readonly sinceTime?: string
  readonly timestamps?: boolean
  readonly now: Date
  readonly signal: AbortSignal
  /** Told why there is nothing yet. */
  readonly onNote?: (text: string) => void
}

/**
 * The log of a job, in chunks as they arrive. When following, waits for the job to start and goes on from the init
 * container to the main one.
 *
 * @throws {UserError} `NOT_FOUND`; `REJECTED` when there is no log yet and `follow` is off.
 */
export async function* jobLogs(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string },
  options: LogOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const read = await readJob(client, at, {
    signal: options.signal,
    ...(options.type !== undefined && { type: options.type }),
  })
  const { job } = read
  const quotas = read.quotas.get(at.namespace)
  const around: Surroundings = { jobs: read.jobs, now: options.now.getTime(), ...(quotas && { quotas }) }
  let pod = choosePod(job, options)
  if (pod === undefined || !hasStarted(pod, options.container)) {
    const reason = explainJob(job, around)
    const why = reason === undefined ? '' : `: ${reason.message}`
    if (options.follow !== true || isFinished(job)) throw noLogYet(job, why)
    options.onNote?.(`${job.name} has not started yet${why}`)
    pod = await waitForStart(client, job, options)
  }
  if (options.container !== undefined) {
    yield* containerLog(client, pod, options.container, options)
    return
  }
  const main = pod.spec?.containers?.[0]?.name ?? ''
  const init = runningInit(pod)
  if (init !== undefined) {
    yield* containerLog(client, pod, init, options)
    if (options.follow !== true) return
    pod = await waitForStart(client, job, { ...options, container: main })
  }
  yield* containerLog(client, pod, main, options)
}

function choosePod(job: ObservedJob, { instance }: LogOptions): Persisted<Pod> | undefined {
  if (instance === undefined || instance === '') {
    const [only, another] = job.pods
    return another === undefined ? only : job.chief
  }
  const pod = job.pods.find(({ metadata }) => metadata.name === instance)
  if (pod !== undefined) return pod
  const there = job.pods.map(({ metadata }) => metadata.name).join(', ')
  throw new UserError('NOT_FOUND', `job "${job.name}" has no instance "${instance}"`, {
    hint: there === '' ? `see: arena get ${job.name}` : `it has: ${there}`,
  })
}

function noLogYet(job: ObservedJob, why: string): UserError {
  return isFinished(job)
    ? new UserError('REJECTED', `the pods of job "${job.name}" are gone, and their logs with them${why}`, {
        hint: 'submit with --clean-task-policy=None to keep them',
      })
    : new UserError('REJECTED', `job "${job.name}" has not started yet${why}`, {
        hint: `wait for it with: arena logs -f ${job.name}`,
      })
}

/** Has a container whose log can be read, the given one or any, been started? */
function hasStarted(pod: Pod, container: string | undefined): boolean {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  return statuses.some(
    ({ name, state, lastState }) =>
      (container === undefined || container === '' || name === container) &&
      (state?.running !== undefined ||
        state?.terminated !== undefined ||
        lastState?.terminated !== undefined),
  )
}

/** The init container to read while the main container has not been started. */
function runningInit(pod: Pod): string | undefined {
  const main = pod.status?.containerStatuses?.[0]
  if (main?.state?.running ?? main?.state?.terminated ?? main?.lastState?.terminated) return undefined
  return pod.status?.initContainerStatuses?.find(
    ({ state }) =>
      state?.running !== undefined || (state?.terminated !== undefined && state.terminated.exitCode !== 0),
  )?.name
}

/** Watches the job's pods until the chosen one has started. */
async function waitForStart(
  client: KubeClient,
  job: ObservedJob,
  options: LogOptions,
): Promise<Persisted<Pod>> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, options.signal])
  const pods = startInformer(client, kinds.pods, { namespace: job.namespace, signal })
  // A job that is deleted or fails before it has a log must not be waited for.
  const jobs = startInformer(client, job.kind.resource, {
    namespace: job.namespace,
    fieldSelector: `metadata.name=${job.name}`,
    signal,
  })
  try {
    return await new Promise<Persisted<Pod>>((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true })
      const look = (): void => {
        const mine = [...pods.objects.values()].filter(({ metadata }) =>
          metadata.ownerReferences?.some(({ uid }) => uid === job.object.metadata.uid),
        )
        const chosen = choosePodOf(job, mine, options)
        if (chosen !== undefined && hasStarted(chosen, options.container)) resolve(chosen)
      }
      pods.subscribe(look)
      jobs.subscribe((change) => {
        if (change.type === 'DELETED') {
          reject(
            new UserError('NOT_FOUND', `job "${job.name}" was deleted before it started`, {
              hint: `see what is there: arena list -n ${job.namespace}`,
            }),
          )
        } else if (change.type !== 'SYNCED') {
          const state = job.kind.stateOf(change.object)
          const failed = change.object.status?.conditions?.find(({ type }) => type === 'Failed')?.message
          if (state === 'FAILED') {
            reject(
              new UserError('JOB_FAILED', `job "${job.name}" failed before it started: ${failed ?? ''}`, {
                hint: `see: arena get ${job.name} -n ${job.namespace}`,
              }),
            )
          }
        }
      })
    })
  } finally {
    stop.abort()
    await Promise.all([pods.stopped, jobs.stopped])
  }
}

function choosePodOf(
  job: ObservedJob,
  pods: readonly Persisted<Pod>[],
  options: LogOptions,
): Persisted<Pod> | undefined {
  if (options.instance !== undefined && options.instance !== '') {
    return pods.find(({ metadata }) => metadata.name === options.instance)
  }
  const [only, another] = pods
  return another === undefined ? only : chiefOf(job.kind, job.object, pods)
}

async function* containerLog(
  client: KubeClient,
  pod: Persisted<Pod>,
  container: string,
  options: LogOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const query = new URLSearchParams({ container })
  if (options.follow === true) query.set('follow', 'true')
  if (options.tail !== undefined) query.set('tailLines', String(options.tail))
  if (options.sinceSeconds !== undefined) query.set('sinceSeconds', String(options.sinceSeconds))
  if (options.sinceTime !== undefined) query.set('sinceTime', options.sinceTime)
  if (options.timestamps === true) query.set('timestamps', 'true')
  const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name }
  const response = await client.raw({
    method: 'GET',
    path: `${objectPath(kinds.pods, at, 'log')}?${query}`,
    headers: { accept: '*/*' },
    signal: options.signal,
  })
  if (response.status >= 400) {
    const error: StatusError = await failureOf(response)
    throw error
  }
  yield* response.body
}
