import {
  formatQuantity,
  type Persisted,
  type Pod,
  type PodsWanted,
  subtractQuantities,
} from '../../kube/index.ts'
import { amountInWords, joinWords } from '../amounts.ts'
import { jobLabels } from '../labels.ts'
import { type ObservedJob, type Surroundings, statusOf } from '../observe/observed.ts'
import { type Holding, QuotaLine, type Shortfall } from './quota-line.ts'
import type { Reason } from './reason.ts'

// An operator that is there answers at once; this long without a word means there is none.
const operatorSilenceMs = 10_000

/** Why a job does not run, as far as it does not and the asker may know; nothing for one that runs or has succeeded. */
export function explainJob(job: ObservedJob, around: Surroundings): Reason | undefined {
  if (job.state === 'SUCCEEDED') return undefined
  if (job.state === 'FAILED') return crashed(job)
  const podReason = firstPodReason(job)
  if (podReason !== undefined) return podReason
  if (job.state === 'SUSPENDED') {
    return {
      code: 'Suspended',
      message: `${job.name} is suspended`,
      suggestion: 'it starts when the queue, or whoever suspended it, sets runPolicy.suspend to false',
    }
  }
  return job.missing.length > 0 ? missingReason(job, job.missing, around) : undefined
}

function missingReason(
  job: ObservedJob,
  missing: readonly PodsWanted[],
  around: Surroundings,
): Reason | undefined {
  const line = lineOf(around)
  const short = line.shortfalls(missing, job)
  if (short.length > 0) return quotaReason(job.name, short, line.holdings(short[0]?.key ?? '', job))
  const refused = refusalEvent(job, around)
  if (refused !== undefined) return refused
  const age = around.now - Date.parse(job.object.metadata.creationTimestamp)
  if ((statusOf(job).conditions ?? []).length === 0 && job.pods.length === 0 && age > operatorSilenceMs) {
    return {
      code: 'OperatorMissing',
      message: `nothing in the cluster takes care of ${job.kind.name}s: ${job.name} was not touched since it was made`,
      suggestion: "the admin starts Arena's operator, or installs Kubeflow's training operator",
    }
  }
  const running = job.pods.filter((pod) => pod.status?.phase === 'Running').length
  const isGang = job.roles.some(({ pod }) => pod.metadata?.labels?.[jobLabels.gangName])
  if (isGang && running > 0) {
    const wanted = missing.reduce((sum, { count }) => sum + count, job.pods.length)
    return {
      code: 'GangIncomplete',
      message: `${job.name} runs with ${running} of ${wanted} pods and waits for the others`,
      suggestion: 'it goes on by itself when the others have room',
    }
  }
  return undefined
}

/** A refusal that no quota explains: the operator writes it down as an event of the job. */
function refusalEvent(job: ObservedJob, around: Surroundings): Reason | undefined {
  const newest = (around.events ?? [])
    .filter((event) => event.involvedObject.uid === job.object.metadata.uid && event.type === 'Warning')
    .sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0]
  const message = newest?.message
  if (message === undefined) return undefined
  if (message.includes('must specify')) {
    return {
      code: 'RequestsMissing',
      message: `the group's quota wants every job to name its CPU and memory: ${message}`,
      suggestion: 'delete the job and submit it again with amounts for each role',
    }
  }
  if (/violates PodSecurity|hostPath|denied request/.test(message)) {
    return { code: 'VolumeForbidden', message: `the cluster refuses the pods of ${job.name}: ${message}` }
  }
  return undefined
}

function timeOf(event: { lastTimestamp?: string; eventTime?: string; firstTimestamp?: string }): string {
  return event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? ''
}

const lines = new WeakMap<Surroundings, QuotaLine>()

/** The line of a namespace, made once for all jobs that are explained with the same surroundings. */
function lineOf(around: Surroundings): QuotaLine {
  let line = lines.get(around)
  if (line === undefined) {
    line = new QuotaLine({ jobs: around.jobs, quotas: around.quotas ?? [], now: around.now })
    lines.set(around, line)
  }
  return line
}

// More names help nobody.
const mostNamed = 5

/** A job that waits for its group's quota: what it needs, who has it, and what would start it. */
export function quotaReason(name: string, short: readonly Shortfall[], holdings: readonly Holding[]): Reason {
  const [first] = short
  const needed = joinWords(short.map((each) => amountInWords(each.key, each.needed)))
  const used = [...new Set(short.map(({ quota }) => quota))].map((quota) => {
    const own = short.filter((each) => each.quota === quota)
    const amounts = own.map((each) => {
      const amount = subtractQuantities(each.taken, each.promised)
      return `${formatQuantity(amount)} of ${amountInWords(each.key, each.limit)}`
    })
    return `quota ${quota} has ${joinWords(amounts)} used`
  })
  const whose = (holding: Holding): string => (holding.owner === undefined ? '' : ` of ${holding.owner}`)
  const using = holdings.filter(({ isWaiting }) => !isWaiting)
  const held = using.slice(0, mostNamed).map((each) => `${each.job}${whose(each)} has ${each.amount}`)
  if (using.length > mostNamed) held.push(`${using.length - mostNamed} more`)
  const waiting = holdings.filter(({ isWaiting }) => isWaiting)
  const [next] = waiting
  const before =
    next === undefined
      ? ''
      : waiting.length === 1
        ? `, and ${next.job}${whose(next)} waits for ${next.amount} before it`
        : `, and ${waiting.length} jobs wait before it`
  return {
    code: 'QuotaExceeded',
    message: `${name} needs ${needed}, but ${joinWords(used)}${held.length > 0 ? ` (${held.join(', ')})` : ''}${before}`,
    needed: short.map((each) => amountInWords(each.key, each.needed)),
    available: short.map((each) => amountInWords(each.key, each.free)),
    ...(first !== undefined && { quota: first.quota }),
    holders: holdings.map((holding) => ({
      job: holding.job,
      ...(holding.owner !== undefined && { owner: holding.owner }),
      amount: holding.amount,
    })),
    suggestion: whenItStarts(first, holdings),
  }
}

function whenItStarts(short: Shortfall | undefined, holdings: readonly Holding[]): string {
  if (short === undefined || holdings.length === 0) return 'it starts by itself when the quota has room'
  const waiting = holdings.filter(({ isWaiting }) => isWaiting)
  if (waiting.length === 1) return `it starts by itself after ${waiting[0]?.job}`
  if (waiting.length > 1) return `it starts by itself after the ${waiting.length} jobs before it`
  const lacking = short.needed.nanos - short.free.nanos
  const enough = holdings.filter(({ quantity }) => quantity.nanos >= lacking).map(({ job }) => job)
  if (enough.length === 1) return `it starts by itself when ${enough[0]} ends`
  if (enough.length > 1) {
    const named = enough.slice(0, mostNamed).join(', ')
    return `it starts by itself when one of these ends: ${named}${enough.length > mostNamed ? ', ...' : ''}`
  }
  const amount = amountInWords(short.key, { nanos: lacking, format: short.needed.format })
  return `it starts by itself once these jobs give back ${amount}`
}

function firstPodReason(job: ObservedJob): Reason | undefined {
  for (const pod of job.pods) {
    const reason = podReason(job, pod)
    if (reason !== undefined) return reason
  }
  return undefined
}

function podReason(job: ObservedJob, pod: Persisted<Pod>): Reason | undefined {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  for (const { name, image, state, lastState } of statuses) {
    const { reason = '', message = '' } = state?.waiting ?? {}
    if (/^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)$/.test(reason)) {
      return {
        code: 'ImagePullFailed',
        message: `image ${image} of ${job.name} cannot be fetched: ${message || reason}`,
        suggestion: 'check --image and --image-pull-secret, delete the job and submit it again',
      }
    }
    if (reason === 'CrashLoopBackOff' || /^(CreateContainer|RunContainer).*Error$/.test(reason)) {
      const ended = lastState?.terminated
      const how = ended === undefined ? message || reason : endInWords(ended)
      return {
        code: 'Crashed',
        message: `container ${name} of ${job.name} does not stay up: ${how}`,
        suggestion: `see: arena logs ${job.name}`,
      }
    }
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  if (scheduled.reason === 'SchedulingGated') {
    return { code: 'Suspended', message: `${job.name} is held back by a scheduling gate` }
  }
  return schedulingReason(job, scheduled.message ?? '')
}

function schedulingReason(job: ObservedJob, message: string): Reason {
  if (/persistentvolumeclaim|PersistentVolumeClaims|volume node affinity/i.test(message)) {
    return {
      code: 'VolumeUnbound',
      message: `${job.name} waits for a volume: ${message}`,
      suggestion: 'see: arena data list',
    }
  }
  if (message.includes('Insufficient') || message.includes('Too many pods')) {
    return {
      code: 'InsufficientNodes',
      message: `${job.name} fits its quota, but no node has room: ${message}`,
      suggestion: 'it starts by itself when a node has room; see: arena top node',
    }
  }
  return {
    code: 'NodeMismatch',
    message: `${job.name} may run on no node: ${message}`,
    suggestion: 'check --selector and --toleration against: arena top node -d',
  }
}

function crashed(job: ObservedJob): Reason {
  const failed = job.pods.find((pod) => pod.status?.phase === 'Failed')
  const ended = [
    ...(failed?.status?.initContainerStatuses ?? []),
    ...(failed?.status?.containerStatuses ?? []),
  ].find(({ state }) => state?.terminated !== undefined && state.terminated.exitCode !== 0)
  const condition = (statusOf(job).conditions ?? []).find(
    ({ type, status }) => type === 'Failed' && status === 'True',
  )
  const how =
    ended?.state?.terminated === undefined
      ? (failed?.status?.message ?? condition?.message ?? 'it failed')
      : `container ${ended.name} ${endInWords(ended.state.terminated)}`
  return { code: 'Crashed', message: `${job.name} failed: ${how}`, suggestion: `see: arena logs ${job.name}` }
}

function endInWords(ended: { exitCode: number; signal?: number; reason?: string; message?: string }): string {
  if (ended.reason === 'OOMKilled') return 'was killed: it used more memory than its limit'
  const why = ended.message === undefined || ended.message === '' ? '' : `: ${ended.message}`
  if (ended.signal !== undefined && ended.signal > 0) return `was ended by signal ${ended.signal}${why}`
  return `ended with status ${ended.exitCode}${why}`
}
