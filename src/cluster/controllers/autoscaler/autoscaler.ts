import {
  type HorizontalPodAutoscaler,
  keyOf,
  kinds,
  type LabelSelector,
  matchesLabels,
  parseKey,
  parseLabelSelector,
  type Persisted,
  type Pod,
  parseQuantity,
  quantityToNumber,
  referenceTo,
  WorkQueue,
} from '../../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile } from '../controller.ts'
import { type Behavior, History } from './history.ts'
import { limit } from './limits.ts'
import { type Failure, type Proposal, propose } from './metrics.ts'
import { readPodUses } from './pod-uses.ts'
import { AutoscalerStatus } from './status.ts'
import { NoTarget, readTarget, type ScaleTarget, writeScale } from './target.ts'

type Autoscaler = Persisted<HorizontalPodAutoscaler>

// Kubernetes' own defaults.
const periodMs = 15_000
const atATime = 5
const usualTolerance = 0.1

const autoscalerKind = { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2' }

/** Keeps workloads at the size at which their pods use what they are meant to use. */
export const autoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  async run(context) {
    const { informers } = context
    const autoscalers = informers.of(kinds.horizontalPodAutoscalers)
    const pods = informers.of(kinds.pods)
    await Promise.all([autoscalers.synced, pods.synced])
    const histories = new Map<string, History>()
    const queue = new WorkQueue()
    autoscalers.subscribe((change) => {
      const key = keyOf(change.object)
      if (change.type === 'DELETED') histories.delete(key)
      // Its status is this controller's own writing.
      else if (change.type !== 'MODIFIED' || isOther(change.previous, change.object)) queue.add(key)
    })
    await reconcile(
      context,
      queue,
      async (key) => {
        const autoscaler = autoscalers.get(parseKey(key))
        if (autoscaler === undefined) return undefined
        await new Round(context, autoscaler, histories, pods.inNamespace(parseKey(key).namespace ?? '')).run()
        return { againAfterMs: periodMs }
      },
      atATime,
    )
  },
}

function isOther(before: Autoscaler, after: Autoscaler): boolean {
  return JSON.stringify(before.spec) !== JSON.stringify(after.spec)
}

/** One look at one autoscaler. */
class Round {
  readonly #context: ControllerContext
  readonly #autoscaler: Autoscaler
  readonly #histories: Map<string, History>
  readonly #pods: Iterable<Persisted<Pod>>
  readonly #status: AutoscalerStatus

  constructor(
    context: ControllerContext,
    autoscaler: Autoscaler,
    histories: Map<string, History>,
    pods: Iterable<Persisted<Pod>>,
  ) {
    this.#context = context
    this.#autoscaler = autoscaler
    this.#histories = histories
    this.#pods = pods
    this.#status = new AutoscalerStatus(autoscaler.status, context.now())
  }

  async run(): Promise<void> {
    await this.#look()
    await this.#writeStatus()
  }

  async #look(): Promise<void> {
    const { spec, metadata } = this.#autoscaler
    if (spec === undefined) return
    const { namespace = '' } = metadata
    let target: ScaleTarget
    try {
      target = await readTarget(this.#context, namespace, spec.scaleTargetRef)
    } catch (error) {
      if (!(error instanceof NoTarget)) throw error
      this.#tell('FailedGetScale', error.message)
      const why = `the HPA controller was unable to get the target's current scale: ${error.message}`
      this.#status.set('AbleToScale', 'False', 'FailedGetScale', why)
      return
    }
    const found = "the HPA controller was able to get the target's current scale"
    this.#status.set('AbleToScale', 'True', 'SucceededGetScale', found)
    const { replicas: current } = target
    const { minReplicas = 1, maxReplicas } = spec
    const history = this.#historyOf(current)
    if (current === 0 && minReplicas !== 0) {
      const why = 'scaling is disabled since the replica count of the target is zero'
      this.#status.set('ScalingActive', 'False', 'ScalingDisabled', why)
      this.#status.told({ current, desired: 0, metrics: [] })
    } else if (current > maxReplicas) {
      const why = 'Current number of replicas above Spec.MaxReplicas'
      await this.#scale(target, maxReplicas, why, [], history)
    } else if (current < minReplicas) {
      const why = 'Current number of replicas below Spec.MinReplicas'
      await this.#scale(target, minReplicas, why, [], history)
    } else await this.#follow(target, history)
  }

  #historyOf(replicas: number): History {
    const key = keyOf(this.#autoscaler)
    let history = this.#histories.get(key)
    if (history === undefined) {
      history = new History(replicas, this.#context.now())
      this.#histories.set(key, history)
    }
    return history
  }

  /** Scales to what the metrics ask for. */
  async #follow(target: ScaleTarget, history: History): Promise<void> {
    const { minReplicas = 1, maxReplicas = 1, behavior } = this.#autoscaler.spec ?? {}
    const { replicas: current } = target
    const proposals = await this.#proposals(target)
    if (proposals === undefined) return
    const proposed = proposals.filter((one) => 'replicas' in one)
    const failed = proposals.filter((one) => 'reason' in one)
    const [failure] = failed
    const best = proposed.toSorted((a, b) => b.replicas - a.replicas)[0]
    const metrics = proposals.map((one) => ('replicas' in one ? one.status : { type: '' }))
    const summary =
      failure &&
      `invalid metrics (${failed.length} invalid out of ${proposals.length}), first error is: ${failure.summary}`
    // Fewer replicas want all metrics to agree, and one of them has not been heard.
    if (best === undefined || (failure && best.replicas < current)) {
      if (failure) {
        const why = `the HPA was unable to compute the replica count: ${failure.message}`
        this.#status.set('ScalingActive', 'False', failure.reason, why)
        this.#tell('FailedComputeMetricsReplicas', summary ?? '')
      }
      this.#status.told({ current, metrics })
      return
    }
    const able = `the HPA was able to successfully calculate a replica count from ${best.metric}`
    this.#status.set('ScalingActive', 'True', 'ValidMetricFound', able)
    const limited = limit(
      {
        currentReplicas: current,
        desiredReplicas: best.replicas,
        minReplicas,
        maxReplicas,
        now: this.#context.now(),
      },
      behavior,
      history,
    )
    this.#status.set('AbleToScale', 'True', limited.able.reason, limited.able.message)
    const { isLimited, reason, message } = limited.limited
    this.#status.set('ScalingLimited', isLimited ? 'True' : 'False', reason, message)
    const why = best.replicas > current ? `${best.metric} above target` : 'All metrics below target'
    await this.#scale(target, limited.replicas, why, metrics, history)
  }

  async #proposals(target: ScaleTarget): Promise<readonly (Proposal | Failure)[] | undefined> {
    const { client, signal, now } = this.#context
    const { namespace = '' } = this.#autoscaler.metadata
    if (target.selector === '') {
      this.#tell('SelectorRequired', 'selector is required')
      const why = "the HPA target's scale is missing a selector"
      this.#status.set('ScalingActive', 'False', 'InvalidSelector', why)
      this.#tell('FailedComputeMetricsReplicas', 'selector is required')
      this.#status.told({ current: target.replicas })
      return undefined
    }
    const selector: LabelSelector = parseLabelSelector(target.selector)
    const pods = [...this.#pods].filter(({ metadata }) => matchesLabels(selector, metadata.labels ?? {}))
    const proposals: (Proposal | Failure)[] = []
    for (const metric of this.#autoscaler.spec?.metrics ?? []) {
      const proposal = await propose(metric, {
        namespace,
        currentReplicas: target.replicas,
        pods,
        tolerance: toleranceOf(this.#autoscaler.spec?.behavior),
        now: now(),
        readUses: (resource, container) =>
          readPodUses(
            client,
            { namespace, selector, resource, ...(container !== undefined && { container }) },
            signal,
          ),
      })
      if ('reason' in proposal) this.#tell(proposal.reason, proposal.message)
      proposals.push(proposal)
    }
    return proposals
  }

  async #scale(
    target: ScaleTarget,
    replicas: number,
    why: string,
    metrics: readonly Proposal['status'][],
    history: History,
  ): Promise<void> {
    const { replicas: current } = target
    if (replicas === current) {
      this.#status.told({ current, desired: current, metrics })
      return
    }
    try {
      await writeScale(this.#context, target, replicas)
    } catch (error) {
      if (this.#context.signal.aborted) throw error
      const text = error instanceof Error ? error.message : String(error)
      this.#tell('FailedRescale', `New size: ${replicas}; reason: ${why}; error: ${text}`)
      const unable = `the HPA controller was unable to update the target scale: ${text}`
      this.#status.set('AbleToScale', 'False', 'FailedUpdateScale', unable)
      this.#status.told({ current })
      return
    }
    const able = `the HPA controller was able to update the target scale to ${replicas}`
    this.#status.set('AbleToScale', 'True', 'SucceededRescale', able)
    this.#tell('SuccessfulRescale', `New size: ${replicas}; reason: ${why}`, 'Normal')
    history.scaled(current, replicas, this.#context.now())
    this.#status.told({ current, desired: replicas, metrics, isScaled: true })
  }

  #tell(reason: string, message: string, type: 'Normal' | 'Warning' = 'Warning'): void {
    const about = referenceTo(this.#autoscaler, autoscalerKind)
    this.#context.recorder.record({ about, type, reason, message })
  }

  async #writeStatus(): Promise<void> {
    const { client, signal } = this.#context
    const { namespace = '', name } = this.#autoscaler.metadata
    const status = this.#status.changed()
    if (status === undefined) return
    await client.replace(
      kinds.horizontalPodAutoscalers,
      { namespace, name },
      { ...this.#autoscaler, status },
      { subresource: 'status', signal },
    )
  }
}

function toleranceOf(behavior: Behavior | undefined): { readonly up: number; readonly down: number } {
  const share = (text: string | undefined): number =>
    text === undefined ? usualTolerance : quantityToNumber(parseQuantity(text))
  return { up: share(behavior?.scaleUp?.tolerance), down: share(behavior?.scaleDown?.tolerance) }
}
