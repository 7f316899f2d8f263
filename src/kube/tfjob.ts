import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import type { ObjectMeta } from './object.ts'

/** The roles of a TFJob as its spec spells them. */
export type TFReplicaType = 'Chief' | 'Worker' | 'PS' | 'Evaluator'

/** Which pods of a finished job are removed. */
export type CleanPodPolicy = 'All' | 'Running' | 'None'

/** `kubeflow.org/v1 RunPolicy`: how a training job runs as a whole. */
export interface RunPolicy {
  cleanPodPolicy?: CleanPodPolicy
  ttlSecondsAfterFinished?: number
  activeDeadlineSeconds?: number
  backoffLimit?: number
  suspend?: boolean
  schedulingPolicy?: {
    minAvailable?: number
    queue?: string
    priorityClass?: string
    scheduleTimeoutSeconds?: number
  }
}

/** One role of a training job. */
export interface ReplicaSpec {
  replicas?: number
  template: PodTemplateSpec
  restartPolicy?: 'Always' | 'OnFailure' | 'Never' | 'ExitCode'
}

/** `kubeflow.org/v1 TFJobSpec`. */
export interface TFJobSpec {
  runPolicy?: RunPolicy
  successPolicy?: '' | 'AllWorkers'
  enableDynamicWorker?: boolean
  tfReplicaSpecs: Partial<Record<TFReplicaType, ReplicaSpec>>
}

/** One line of a training job's history; the newest with status `True` tells where the job stands. */
export interface JobCondition {
  type: 'Created' | 'Running' | 'Restarting' | 'Succeeded' | 'Failed' | 'Suspended'
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

/** How many pods of one role are in which state. */
export interface ReplicaStatus {
  active?: number
  succeeded?: number
  failed?: number
  selector?: string
}

/** `kubeflow.org/v1 JobStatus`, the same for every kind of training job. */
export interface JobStatus {
  conditions?: JobCondition[]
  replicaStatuses?: Partial<Record<string, ReplicaStatus>>
  startTime?: string
  completionTime?: string
  lastReconcileTime?: string
}

/** `kubeflow.org/v1 TFJob`. */
export interface TFJob {
  apiVersion?: 'kubeflow.org/v1'
  kind?: 'TFJob'
  metadata?: ObjectMeta
  spec: TFJobSpec
  status?: JobStatus
}
