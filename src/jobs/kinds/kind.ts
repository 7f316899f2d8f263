import type { JobStatus, ObjectMeta, Pod, ResourceType } from '../../kube/index.ts'
import type { LinuxIdentity, Self } from '../identity.ts'
import type { FlagValues, JobSpec, SpecDefaults } from '../submit/spec.ts'

/** Where a job stands, in the words of the original tool. */
export type JobState = 'PENDING' | 'QUEUING' | 'SUSPENDED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED'

/** One role of a job: how many pods it wants and what each of them looks like. */
export interface RolePlan {
  /** In lower case, as pods are labelled: `chief`, `worker`. */
  readonly role: string
  readonly replicas: number
  readonly pod: Pod
}

/** What builders know besides the flags. */
export interface BuildContext {
  readonly owner: Self
  readonly identity: LinuxIdentity
  /** Claims that may only be read. */
  readonly readOnlyClaims: ReadonlySet<string>
}

/** A job of any kind, as far as every kind has the same fields. */
export interface JobObject {
  readonly metadata?: ObjectMeta
  readonly spec: object
  readonly status?: JobStatus
}

/**
 * One kind of job: how it is built from flags and how its status is read. Adding a kind means one file that exports
 * one of these, a line in `table.ts`, and a command.
 */
export interface JobKind<Spec extends JobSpec = JobSpec, T extends JobObject = JobObject> {
  /** As in `tfjob`; upper case in tables. */
  readonly name: string
  /** Other names that `--type` and `submit` take. */
  readonly aliases: readonly string[]
  readonly resource: ResourceType<T>
  /** Reads the flags of `arena submit`. */
  readSpec(flags: FlagValues, defaults: SpecDefaults): Spec
  build(spec: Spec, context: BuildContext): T
  roles(job: T): readonly RolePlan[]
  stateOf(job: T): JobState
  /** The role whose pod speaks for the job. */
  chiefRole(job: T): { readonly role: string; readonly index: number }
  /** The flag that sets an amount of a role, as in `--chief-cpu`. */
  resourceFlag(role: string, resource: 'cpu' | 'memory'): string
  readonly isSuspended: (job: T) => boolean
}
