import type { HorizontalPodAutoscalerBehavior } from 'kubernetes-types/autoscaling/v2.js'

/** With the field that is younger than the package of types. */
export interface Behavior extends HorizontalPodAutoscalerBehavior {
  readonly scaleUp?: NonNullable<HorizontalPodAutoscalerBehavior['scaleUp']> & { readonly tolerance?: string }
  readonly scaleDown?: NonNullable<HorizontalPodAutoscalerBehavior['scaleDown']> & {
    readonly tolerance?: string
  }
}

/** By how many replicas a workload was scaled, as a positive number. */
export interface ScaleEvent {
  readonly change: number
  readonly at: number
}

/** The longest window and the longest period that an autoscaler may have. */
const keptMs = 3_600_000

/** What one autoscaler has recommended and done of late. It is not stored: a new process begins with what it finds. */
export class History {
  #recommendations: { readonly replicas: number; readonly at: number }[]
  #ups: ScaleEvent[] = []
  #downs: ScaleEvent[] = []

  constructor(replicas: number, now: number) {
    this.#recommendations = [{ replicas, at: now }]
  }

  get ups(): readonly ScaleEvent[] {
    return this.#ups
  }

  get downs(): readonly ScaleEvent[] {
    return this.#downs
  }

  recommend(replicas: number, at: number): void {
    this.#recommendations = this.#recommendations.filter((one) => one.at >= at - keptMs)
    this.#recommendations.push({ replicas, at })
  }

  /** Later than the moment. */
  recommendedSince(since: number): number[] {
    return this.#recommendations.filter(({ at }) => at > since).map(({ replicas }) => replicas)
  }

  scaled(from: number, to: number, at: number): void {
    const recent = (events: readonly ScaleEvent[]): ScaleEvent[] =>
      events.filter((one) => one.at >= at - keptMs)
    if (to > from) this.#ups = [...recent(this.#ups), { change: to - from, at }]
    else this.#downs = [...recent(this.#downs), { change: from - to, at }]
  }
}
