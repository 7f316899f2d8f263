import {
  createEventRecorder,
  createSharedInformers,
  kinds,
  type KubeClient,
  ownSignal,
  type SharedInformers,
} from '../../kube/index.ts'
import { type Controller, type ControllerSettings, managerAccount } from './controller.ts'
import { followServedResources } from './served-resources.ts'
import { controllers } from './table.ts'

/** What all controllers need. */
export interface ControllersOptions {
  /**
   * A client for a controller. `kube-controller-manager` asks for user `system:kube-controller-manager`, who may list
   * and watch everything; any other name for service account `<name>` in `kube-system`.
   */
  readonly clientFor: (name: string) => KubeClient
  readonly signal: AbortSignal
  readonly settings?: ControllerSettings
  /** Told of failures that will be retried, with the controller's name. */
  readonly onError: (error: unknown, controller: string) => void
  /** Told when a controller could not go on: it has ended. */
  readonly onFatal: (error: unknown, controller: string) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** All of them when left out. */
  readonly only?: readonly Controller[]
}

/** The controllers at work. */
export interface RunningControllers {
  /** The caches that the controllers share; the scheduler may use them too. */
  readonly informers: SharedInformers
  /** Settles when all have stopped, after the signal. */
  readonly stopped: Promise<void>
}

/**
 * Starts the controllers; they work until the signal aborts.
 *
 * @example
 * ```ts
 * const running = startControllers({ clientFor, signal, onError: report, onFatal: stop })
 * void startScheduler({ client, signal, onError: report, informers: running.informers })
 * ```
 */
export function startControllers(options: ControllersOptions): RunningControllers {
  const { clientFor, settings = {}, now = Date.now } = options
  const signal = ownSignal(options.signal)
  const manager = clientFor(managerAccount)
  const report = (error: unknown): void => {
    if (!signal.aborted) options.onError(error, managerAccount)
  }
  const informers = createSharedInformers(manager, { signal, onError: report })
  // Whole objects of these are needed: ask for them before anybody settles for their identities.
  for (const type of wholeKinds) informers.of<unknown>(type)
  const served = followServedResources(manager, informers, { signal, onError: report })

  async function run(controller: Controller): Promise<void> {
    const client =
      controller.actsAs === managerAccount ? manager : clientFor(controller.actsAs ?? controller.name)
    const onError = (error: unknown): void => {
      if (!signal.aborted) options.onError(error, controller.name)
    }
    const recorder = createEventRecorder({ client, component: controller.name, signal, now, onError })
    try {
      await controller.run({
        client,
        reader: manager,
        informers,
        served,
        recorder,
        settings,
        signal,
        now,
        onError,
      })
    } catch (error) {
      if (!signal.aborted) options.onFatal(error, controller.name)
    }
  }

  const stopped = Promise.all((options.only ?? controllers).map(run)).then(() => undefined)
  return { informers, stopped }
}

const wholeKinds = [
  kinds.namespaces,
  kinds.serviceAccounts,
  kinds.pods,
  kinds.services,
  kinds.nodes,
  kinds.persistentVolumes,
  kinds.persistentVolumeClaims,
  kinds.storageClasses,
  kinds.resourceQuotas,
  kinds.deployments,
  kinds.replicaSets,
  kinds.statefulSets,
  kinds.daemonSets,
  kinds.controllerRevisions,
  kinds.replicationControllers,
  kinds.jobs,
  kinds.cronJobs,
  kinds.podDisruptionBudgets,
  kinds.horizontalPodAutoscalers,
  kinds.clusterRoles,
  kinds.customResourceDefinitions,
] as const
