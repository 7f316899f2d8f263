import {
  addQuantities,
  compareQuantities,
  multiplyQuantity,
  needOf,
  parseQuantity,
  type Persisted,
  type PodsWanted,
  type Quantity,
  quantityOf,
  type ResourceQuota,
  subtractQuantities,
  type Usage,
  usageOfPod,
} from '../../kube/index.ts'
import { amountInWords } from '../amounts.ts'
import { hasEnded, isFinished, type ObservedJob } from '../observe/observed.ts'

const zero = quantityOf(0)

/** One resource that a quota has too little of. */
export interface Shortfall {
  readonly quota: string
  readonly key: string
  readonly needed: Quantity
  readonly limit: Quantity
  /** Used, and promised to jobs that come first. */
  readonly taken: Quantity
  readonly promised: Quantity
  readonly free: Quantity
}

/** A job that has, or comes before in line for, some of what a quota counts. */
export interface Holding {
  readonly job: string
  readonly owner: string | undefined
  readonly quantity: Quantity
  /** The same in words. */
  readonly amount: string
  readonly isWaiting: boolean
}

/** Who uses a namespace's quotas and who waits for them, in order. Sums are made once, for all jobs that ask. */
export class QuotaLine {
  readonly #quotas: readonly Persisted<ResourceQuota>[]
  readonly #now: number
  readonly #jobs: readonly ObservedJob[]
  /** Those that want pods, the earliest first. */
  readonly #waiting: readonly ObservedJob[]
  /** By quota: what the first of those that wait want together, after each of them. */
  readonly #promised = new Map<string, readonly Usage[]>()
  readonly #held = new Map<string, readonly Holding[]>()
  readonly #wanted = new Map<string, readonly Holding[]>()

  constructor(from: {
    readonly jobs: readonly ObservedJob[]
    readonly quotas: readonly Persisted<ResourceQuota>[]
    readonly now: number
  }) {
    this.#quotas = from.quotas
    this.#now = from.now
    this.#jobs = from.jobs
    this.#waiting = from.jobs
      .filter((job) => job.state !== 'SUSPENDED' && job.missing.length > 0)
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  }

  /** Where quotas have too little for the pods: of a job in line, or of one that would come last. */
  shortfalls(pods: readonly PodsWanted[], job?: ObservedJob): Shortfall[] {
    return this.#quotas.flatMap((quota) => {
      const promised = this.#promisedBefore(quota, job)
      return [...needOf(pods, quota, this.#now)].flatMap(([key, needed]) => {
        const limit = parseQuantity(quota.spec?.hard?.[key] ?? '0')
        const before = promised.get(key) ?? zero
        const taken = addQuantities(parseQuantity(quota.status?.used?.[key] ?? '0'), before)
        const free = subtractQuantities(limit, taken)
        if (needed.nanos === 0n || needed.nanos <= free.nanos) return []
        const left = free.nanos < 0n ? zero : free
        return [{ quota: quota.metadata.name, key, needed, limit, taken, promised: before, free: left }]
      })
    })
  }

  /** Who has what a quota key counts, the largest first, and then who waits for it before the job. */
  holdings(key: string, job?: ObservedJob): Holding[] {
    const using = this.#holdingNow(key).filter((holding) => holding.job !== job?.name)
    const names = new Set(using.map((holding) => holding.job))
    const before = this.#wantedInLine(key)
      .slice(0, this.#placeInLine(job))
      .filter(({ quantity, job: name }) => quantity.nanos > 0n && !names.has(name))
    return [...using, ...before]
  }

  /** What each of those that wait wants of a quota key, in their order. */
  #wantedInLine(key: string): readonly Holding[] {
    let wanted = this.#wanted.get(key)
    if (wanted === undefined) {
      wanted = this.#waiting.map((job) =>
        holding(job, key, { quantity: sumOf(job.missing, key, this.#now), isWaiting: true }),
      )
      this.#wanted.set(key, wanted)
    }
    return wanted
  }

  #holdingNow(key: string): readonly Holding[] {
    let held = this.#held.get(key)
    if (held === undefined) {
      held = this.#jobs
        .filter((job) => !isFinished(job))
        .map((job) => {
          const pods = job.pods.filter((pod) => !hasEnded(pod)).map((pod) => ({ pod, count: 1 }))
          return holding(job, key, { quantity: sumOf(pods, key, this.#now), isWaiting: false })
        })
        .filter(({ quantity }) => quantity.nanos > 0n)
        .sort((a, b) => compareQuantities(b.quantity, a.quantity))
      this.#held.set(key, held)
    }
    return held
  }

  #placeInLine(job: ObservedJob | undefined): number {
    if (job === undefined) return this.#waiting.length
    const place = placeOf(job)
    const index = this.#waiting.findIndex((other) => placeOf(other) >= place)
    return index < 0 ? this.#waiting.length : index
  }

  #promisedBefore(quota: Persisted<ResourceQuota>, job: ObservedJob | undefined): Usage {
    let sums = this.#promised.get(quota.metadata.uid)
    if (sums === undefined) {
      let sum: Usage = new Map()
      sums = this.#waiting.map((waiting) => {
        sum = new Map(sum)
        for (const [key, amount] of needOf(waiting.missing, quota, this.#now)) add(sum, key, amount)
        return sum
      })
      this.#promised.set(quota.metadata.uid, sums)
    }
    return sums[this.#placeInLine(job) - 1] ?? new Map()
  }
}

function holding(
  job: ObservedJob,
  key: string,
  of: { readonly quantity: Quantity; readonly isWaiting: boolean },
): Holding {
  return { job: job.name, owner: job.owner, amount: amountInWords(key, of.quantity), ...of }
}

/** Jobs of the same second are in the order of their names, as the operator has them. */
function placeOf(job: ObservedJob): string {
  return `${job.object.metadata.creationTimestamp} ${job.name}`
}

function add(sum: Usage, key: string, amount: Quantity): void {
  sum.set(key, addQuantities(sum.get(key) ?? zero, amount))
}

function sumOf(pods: readonly PodsWanted[], key: string, now: number): Quantity {
  let sum = zero
  for (const { pod, count } of pods) {
    const amount = usageOfPod(pod, now).get(key)
    if (amount !== undefined) sum = addQuantities(sum, multiplyQuantity(amount, count))
  }
  return sum
}
