import type { ObjectMeta } from '../../kube/index.ts'
import type { Role, StoredJob, TrainingJobKind } from './kind.ts'

const prefix = 'training.kubeflow.org/'

const jobNameLabel = `${prefix}job-name`
const replicaTypeLabel = `${prefix}replica-type`
export const replicaIndexLabel = `${prefix}replica-index`
export const operatorLabel = `${prefix}operator-name`
export const jobRoleLabel = `${prefix}job-role`

/** Labels of everything that belongs to one role of a job, and the selector that finds it. */
export function roleLabels(kind: TrainingJobKind, job: StoredJob, role: Role): Record<string, string> {
  return {
    [jobNameLabel]: job.metadata.name,
    [operatorLabel]: kind.controllerName,
    [replicaTypeLabel]: role.name.toLowerCase(),
  }
}

/** Name of the pod and the service of one replica. */
export function replicaName(job: StoredJob, role: Role, index: number): string {
  return `${job.metadata.name}-${role.name.toLowerCase()}-${index}`
}

export function isOfRole(object: { readonly metadata: ObjectMeta }, role: Role): boolean {
  return object.metadata.labels?.[replicaTypeLabel] === role.name.toLowerCase()
}

/** Which replica of its role a pod is; undefined when it does not say. */
export function replicaIndex(object: { readonly metadata: ObjectMeta }): number | undefined {
  const text = object.metadata.labels?.[replicaIndexLabel]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
