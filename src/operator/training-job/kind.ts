import type {
  EnvVar,
  JobCondition,
  JobStatus,
  ObjectMeta,
  Persisted,
  Pod,
  ReplicaSpec,
  ResourceType,
  RunPolicy,
} from '../../kube/index.ts'

/** What all kinds of training jobs have in common on the wire. */
export interface TrainingJob {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  status?: JobStatus
}

export type StoredJob = Persisted<TrainingJob>

/** One role of a job, with every default filled in. */
export interface Role {
  /** As the spec spells it, as in `Worker`. */
  readonly name: string
  readonly replicas: number
  readonly restartPolicy: NonNullable<ReplicaSpec['restartPolicy']>
  readonly template: ReplicaSpec['template']
}

/** How the pods of one role stand. */
export interface RoleCount {
  readonly role: Role
  readonly active: number
  readonly succeeded: number
  readonly failed: number
}

/** A step in a job's life that its kind has seen. */
export interface Verdict {
  readonly type: Extract<JobCondition['type'], 'Running' | 'Succeeded' | 'Failed'>
  readonly message: string
}

/** One kind of training job: one file each under `kinds/`, listed in `kinds/table.ts`. */
export interface TrainingJobKind {
  readonly type: ResourceType<TrainingJob>
  /** As pods name it in their labels. */
  readonly controllerName: string
  /** The container that trains. */
  readonly container: string
  /** The port under which replicas find each other unless their container names another. */
  readonly port: { readonly name: string; readonly number: number }
  /** Roles in the order in which they are judged. */
  roles(job: StoredJob): readonly Role[]
  runPolicy(job: StoredJob): RunPolicy
  /** What is wrong with the job so that it can never run; undefined when nothing is. */
  fault(job: StoredJob): string | undefined
  /** What the replica must know of the others. */
  environment(job: StoredJob, role: Role, index: number): readonly EnvVar[]
  /** The replica that stands for the whole job. */
  isLeader(roles: readonly Role[], role: Role, index: number): boolean
  /** What has become of the job; failures of roles that are being restarted do not count. */
  judge(job: StoredJob, counts: readonly RoleCount[], pods: readonly Persisted<Pod>[]): readonly Verdict[]
}
