import {
  addQuantities,
  formatQuantity,
  type Persisted,
  type Pod,
  type Quantity,
  quantityOf,
  usageOf,
} from '../kube/index.ts'
import { amountInWords, joinWords } from './amounts.ts'
import { jobLabels } from './labels.ts'
import {
  hasEnded,
  isFinished,
  missingPods,
  type ObservedJob,
  type Surroundings,
  statusOf,
} from './observed.ts'
import { podAsObject, type PodsWanted, promisedBefore, type Shortfall, shortfalls } from './quota-need.ts'
import type { Holder, Reason } from './reason.ts'

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
  const missing = missingPods(job)
  if (missing.length > 0) return missingReason(job, missing, around)
  return undefined
}

function missingReason(
  job: ObservedJob,
  missing: readonly PodsWanted[],
  around: Surroundings,
): Reason | undefined {
  const promised = promisedBefore(
    { name: job.name, createdAt: job.object.metadata.creationTimestamp },
    around.jobs,
  )
  const short = shortfalls(missing, around.quotas ?? [], { now: around.now, promised })
  if (short.length > 0) return quotaReason(job, short, around)
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
  const isGang = job.kind.roles(job.object).some(({ pod }) => pod.metadata?.labels?.[jobLabels.gangName])
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

/** A job that waits for its group's quota: what it needs, who has it, and what would start it. */
export function quotaReason(
  job: Pick<ObservedJob, 'name'> & { readonly createdAt?: string },
  short: readonly Shortfall[],
  around: Surroundings,
): Reason {
  const first = short[0]
  const needed = joinWords(short.map((each) => amountInWords(each.key, each.needed)))
  const taken = [...new Set(short.map(({ quota }) => quota))].map((quota) => {
    const lines = short.filter((each) => each.quota === quota)
    const amounts = lines.map(
      (each) => `${formatQuantity(each.taken)} of ${amountInWords(each.key, each.limit)}`,
    )
    const how = lines.some(({ promised }) => promised.nanos > 0n) ? 'used or promised' : 'used'
    return `quota ${quota} has ${joinWords(amounts)} ${how}`
  })
  const holders = first === undefined ? [] : holdersOf(first.key, job.name, around)
  const held = holders.map((holder) => {
    const whose = holder.owner === undefined ? '' : ` of ${holder.owner}`
    return `${holder.job}${whose} ${holder.isWaiting ? 'waits for' : 'has'} ${holder.amount}`
  })
  return {
    code: 'QuotaExceeded',
    message: `${job.name} needs ${needed}, but ${joinWords(taken)}${held.length > 0 ? ` (${held.join(', ')})` : ''}`,
    needed: short.map(({ key, needed }) => amountInWords(key, needed)),
    available: short.map(({ key, free }) => amountInWords(key, free)),
    ...(first !== undefined && { quota: first.quota }),
    holders: holders.map(({ job: holder, owner, amount }) => ({
      job: holder,
      ...(owner !== undefined && { owner }),
      amount,
    })),
    suggestion: whenItStarts(first, holders),
  }
}

interface HolderFound extends Holder {
  readonly quantity: Quantity
  readonly isWaiting: boolean
}

/** The group's jobs that have, or come before in line for, what a quota key counts; the largest first. */
function holdersOf(key: string, exceptJob: string, around: Surroundings): HolderFound[] {
  const found: HolderFound[] = []
  const self = around.jobs.find(({ name }) => name === exceptJob)
  for (const job of around.jobs) {
    if (job.name === exceptJob || isFinished(job)) continue
    const used = sumOf(
      job.pods.filter((pod) => !hasEnded(pod)),
      key,
      around.now,
    )
    const isBefore =
      self === undefined || job.object.metadata.creationTimestamp < self.object.metadata.creationTimestamp
    const promised = isBefore
      ? sumOf(
          missingPods(job).flatMap(({ pod, count }) => Array.from({ length: count }, () => pod)),
          key,
          around.now,
        )
      : quantityOf(0)
    const quantity = used.nanos > 0n ? used : promised
    if (quantity.nanos === 0n) continue
    found.push({
      job: job.name,
      ...(job.owner !== undefined && { owner: job.owner }),
      amount: amountInWords(key, quantity),
      quantity,
      isWaiting: used.nanos === 0n,
    })
  }
  return found.sort((a, b) =>
    a.quantity.nanos === b.quantity.nanos ? 0 : a.quantity.nanos > b.quantity.nanos ? -1 : 1,
  )
}

function sumOf(pods: readonly Pod[], key: string, now: number): Quantity {
  let sum = quantityOf(0)
  for (const pod of pods) {
    const amount = usageOf('/pods', podAsObject(pod), now).get(key)
    if (amount !== undefined) sum = addQuantities(sum, amount)
  }
  return sum
}

function whenItStarts(short: Shortfall | undefined, holders: readonly HolderFound[]): string {
  if (short === undefined || holders.length === 0) return 'it starts by itself when the quota has room'
  const lacking = short.needed.nanos - short.free.nanos
  // The smallest single job that is enough; else as many as it takes, the largest first.
  const single = holders.findLast(({ quantity }) => quantity.nanos >= lacking)
  if (single !== undefined) {
    const others = holders.filter(({ quantity }) => quantity.nanos >= lacking).map(({ job }) => job)
    return others.length === 1
      ? `it starts by itself when ${single.job} ends`
      : `it starts by itself when one of these ends: ${others.join(', ')}`
  }
  return `it starts by itself once these jobs give back ${amountInWords(short.key, { nanos: lacking, format: short.needed.format })}`
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
