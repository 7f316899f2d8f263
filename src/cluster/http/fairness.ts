import { tooManyRequests } from '../../kube/index.ts'
import type { UserInfo } from '../registry/index.ts'

/** What one user may have under way. */
export interface FairnessLimits {
  /** Requests at work at once. */
  readonly running: number
  /** Requests that wait for their turn; more are refused. */
  readonly waiting: number
  /** Watches and other streams open at once. */
  readonly streams: number
  /** Time of this process that a user may take within one turn of the event loop before others go first. */
  readonly turnMs: number
}

export const usualLimits: FairnessLimits = { running: 48, waiting: 512, streams: 4096, turnMs: 25 }

/** Requests of one user. */
interface Flow {
  readonly name: string
  running: number
  streams: number
  /** Taken in this turn of the event loop. */
  spentMs: number
  /** Of the last requests: after a dear one the next waits for others. */
  lastMs: number
  readonly waiting: (() => void)[]
}

/** One request's place. */
export interface Seat {
  /** Tells how long the request kept the process busy. */
  spent(ms: number): void
  /**
   * The request has become a stream: it takes no place among requests any more, but one among streams.
   *
   * @throws {StatusError} `TooManyRequests`.
   */
  stream(): void
  release(): void
}

/** Lets every user's requests through in turn, so that one who sends many does not keep the others waiting. */
export interface Fairness {
  /**
   * A place for a request: at once as long as the user has few under way, else when it is the user's turn.
   *
   * @throws {StatusError} `TooManyRequests` when too many of the user's requests wait already.
   */
  enter(user: UserInfo): Seat | Promise<Seat>
}

export function createFairness(limits: FairnessLimits = usualLimits): Fairness {
  const flows = new Map<string, Flow>()
  /** Flows with waiting requests, in the order of their turns. */
  const line = new Set<Flow>()
  const spenders = new Set<Flow>()
  let isTurnEnding = false

  function endTurn(): void {
    isTurnEnding = false
    for (const flow of spenders) flow.spentMs = 0
    spenders.clear()
    const turnsNow = [...line]
    for (const flow of turnsNow) {
      // Behind everybody else, whatever is left.
      line.delete(flow)
      const turns = flow.lastMs > 5 ? 1 : 8
      for (let turn = 0; turn < turns && flow.running < limits.running; turn++) flow.waiting.shift()?.()
      if (flow.waiting.length > 0) line.add(flow)
    }
    // Those who are at their limit go on when one of their requests ends.
    for (const flow of line) if (flow.running < limits.running) return awaitTurn()
  }

  function awaitTurn(): void {
    if (isTurnEnding) return
    isTurnEnding = true
    setImmediate(endTurn)
  }

  function flowOf(user: UserInfo): Flow {
    const known = flows.get(user.name)
    if (known) return known
    const flow: Flow = { name: user.name, running: 0, streams: 0, spentMs: 0, lastMs: 0, waiting: [] }
    flows.set(user.name, flow)
    return flow
  }

  function seatOf(flow: Flow): Seat {
    let holds: 'place' | 'stream' | 'nothing' = 'place'
    flow.running++
    const leave = (): void => {
      if (holds === 'place') flow.running--
      else if (holds === 'stream') flow.streams--
      if (flow.waiting.length > 0) awaitTurn()
      else if (flow.running === 0 && flow.streams === 0) flows.delete(flow.name)
    }
    return {
      spent(ms) {
        flow.lastMs = Math.max(ms, flow.lastMs / 2)
        flow.spentMs += ms
        spenders.add(flow)
        awaitTurn()
      },
      stream() {
        if (flow.streams >= limits.streams)
          throw tooManyRequests(
            `user "${flow.name}" has ${flow.streams} watches open, please try again later`,
            1,
          )
        flow.streams++
        leave()
        holds = 'stream'
      },
      release() {
        leave()
        holds = 'nothing'
      },
    }
  }

  return {
    enter(user) {
      if (isExempt(user)) return freeSeat
      const flow = flowOf(user)
      const isFree = flow.running < limits.running && flow.spentMs < limits.turnMs
      if (isFree && flow.waiting.length === 0) return seatOf(flow)
      if (flow.waiting.length >= limits.waiting)
        throw tooManyRequests('too many requests, please try again later', 1)
      return new Promise((resolve) => {
        flow.waiting.push(() => resolve(seatOf(flow)))
        line.add(flow)
        awaitTurn()
      })
    },
  }
}

const freeSeat: Seat = { spent: () => undefined, stream: () => undefined, release: () => undefined }

/** Administrators must get through when they are needed most; the cluster's own parts keep it going. */
function isExempt(user: UserInfo): boolean {
  return (
    user.groups.includes('system:masters') ||
    user.groups.includes('system:nodes') ||
    user.name.startsWith('system:kube-') ||
    user.name.startsWith('system:serviceaccount:kube-system:')
  )
}
