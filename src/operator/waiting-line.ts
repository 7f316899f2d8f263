import { type Demand, neverFits, type Reserved, reserve, type Shortage, shortageOf } from './quota-room.ts'

/** A job that lacks pods and would like to have them. */
export interface Waiting {
  /** Unique among all jobs of the namespace. */
  readonly key: string
  /** As people call it, as in `TFJob a`. */
  readonly title: string
  /** It has run before and only gets back what it had. */
  readonly hasStarted: boolean
  readonly priority: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly demand: readonly Demand[]
}

/** Why a job waits: for its quota, or for jobs that came before it. */
export interface Wait {
  readonly shortage: Shortage
  /** Title of the first earlier job whose claim leaves no room; absent when there is none anyway. */
  readonly behind?: string
}

/**
 * Why the jobs of a namespace have to wait; those that are not in the answer may start. First come those that have run
 * before, then the more important, then the earlier. What an earlier job waits for is set aside, so that a later, smaller
 * one never takes it away; a job that needs nothing of it may go ahead. A job that can never fit sets nothing aside.
 */
export function waitsOf(waiting: readonly Waiting[]): Map<string, Wait> {
  const waits = new Map<string, Wait>()
  const aside: Reserved = new Map()
  const earlier: Waiting[] = []
  for (const job of inOrder(waiting)) {
    const ownShortage = shortageOf(job.demand)
    const shortage = ownShortage ?? shortageOf(job.demand, aside)
    if (shortage) {
      const behind = ownShortage ? undefined : earlier.find((other) => claims(other, shortage))
      waits.set(job.key, { shortage, ...(behind && { behind: behind.title }) })
    }
    if (ownShortage && neverFits(job.demand)) continue
    reserve(aside, job.demand)
    earlier.push(job)
  }
  return waits
}

function inOrder(waiting: readonly Waiting[]): Waiting[] {
  return [...waiting].sort(
    (a, b) =>
      Number(b.hasStarted) - Number(a.hasStarted) ||
      b.priority - a.priority ||
      a.createdAt - b.createdAt ||
      (a.key < b.key ? -1 : 1),
  )
}

function claims(job: Waiting, shortage: Shortage): boolean {
  return job.demand.some(
    ({ quota, amounts }) =>
      quota.metadata.name === shortage.quota &&
      shortage.keys.some(({ key }) => (amounts.get(key)?.nanos ?? 0n) > 0n),
  )
}
