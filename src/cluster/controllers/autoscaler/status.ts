import { isDeepStrictEqual } from 'node:util'
import type {
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from 'kubernetes-types/autoscaling/v2.js'
import { timestamp } from '../../../kube/index.ts'

/** The status of an autoscaler as one look at it makes it. */
export class AutoscalerStatus {
  readonly #before: HorizontalPodAutoscalerStatus
  readonly #now: number
  #next: HorizontalPodAutoscalerStatus

  constructor(before: HorizontalPodAutoscalerStatus | undefined, now: number) {
    this.#before = before ?? { desiredReplicas: 0 }
    this.#next = this.#before
    this.#now = now
  }

  /** States a condition; its time is that of its last change of status. */
  set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    const conditions = this.#next.conditions ?? []
    const before = conditions.find((one) => one.type === type)
    const next: HorizontalPodAutoscalerCondition = {
      type,
      status,
      lastTransitionTime:
        before?.status === status && before.lastTransitionTime
          ? before.lastTransitionTime
          : timestamp(this.#now),
      reason,
      message,
    }
    this.#next = {
      ...this.#next,
      conditions: before ? conditions.map((one) => (one === before ? next : one)) : [...conditions, next],
    }
  }

  /** States how many replicas there are and are wanted, and what was measured; what is left out stays as it was. */
  told(facts: {
    readonly current: number
    readonly desired?: number
    readonly metrics?: readonly MetricStatus[]
    readonly isScaled?: boolean
  }): void {
    const { lastScaleTime, conditions } = this.#next
    const time = facts.isScaled === true ? timestamp(this.#now) : lastScaleTime
    const metrics = facts.metrics === undefined ? this.#next.currentMetrics : [...facts.metrics]
    this.#next = {
      ...(time && { lastScaleTime: time }),
      currentReplicas: facts.current,
      desiredReplicas: facts.desired ?? this.#next.desiredReplicas,
      ...(metrics && { currentMetrics: metrics }),
      ...(conditions && { conditions }),
    }
  }

  /** The status to be written, or nothing when it is what it was. */
  changed(): HorizontalPodAutoscalerStatus | undefined {
    return isDeepStrictEqual(normal(this.#next), normal(this.#before)) ? undefined : this.#next
  }
}

/** Without what is not there, however that is written. */
function normal(status: HorizontalPodAutoscalerStatus): object {
  const { currentMetrics, currentReplicas = 0, ...rest } = status
  return { ...rest, currentReplicas, currentMetrics: currentMetrics ?? [] }
}
