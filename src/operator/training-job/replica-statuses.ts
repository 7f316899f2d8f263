import type { JobStatus, Persisted, Pod, ReplicaStatus } from '../../kube/index.ts'
import type { RoleCount, StoredJob, TrainingJobKind } from './kind.ts'
import { isOfRole, replicaIndex, roleLabels } from './labels.ts'

interface JobWithPods {
  readonly job: StoredJob
  readonly pods: readonly Persisted<Pod>[]
}

/** How the pods of each role stand. Pods beyond what the role wants now do not count. */
export function countRoles(kind: TrainingJobKind, { job, pods }: JobWithPods): RoleCount[] {
  return kind.roles(job).map((role) => {
    const own = pods.filter((pod) => isOfRole(pod, role) && (replicaIndex(pod) ?? 0) < role.replicas)
    return {
      role,
      active: own.filter((pod) => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp).length,
      succeeded: own.filter((pod) => pod.status?.phase === 'Succeeded').length,
      failed: own.filter((pod) => pod.status?.phase === 'Failed' && !pod.metadata.deletionTimestamp).length,
    }
  })
}

/** The same as the status tells it. */
export function replicaStatuses(
  kind: TrainingJobKind,
  observed: JobWithPods,
): { replicaStatuses: Record<string, ReplicaStatus> } {
  const replicas: Record<string, ReplicaStatus> = {}
  for (const { role, active, succeeded, failed } of countRoles(kind, observed)) {
    const labels = roleLabels(kind, observed.job, role)
    replicas[role.name] = {
      ...(active > 0 && { active }),
      ...(succeeded > 0 && { succeeded }),
      ...(failed > 0 && { failed }),
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    }
  }
  return { replicaStatuses: replicas }
}

/** A job has succeeded as a whole: what still ran has done its part. */
export function withActiveSucceeded(status: JobStatus): JobStatus {
  const replicas = Object.entries(status.replicaStatuses ?? {})
  if (!replicas.some(([, one]) => one?.active)) return status
  const next: Record<string, ReplicaStatus> = {}
  for (const [name, one] of replicas) {
    const { active = 0, succeeded = 0, ...rest } = one ?? {}
    next[name] = { ...rest, ...(active + succeeded > 0 && { succeeded: active + succeeded }) }
  }
  return { ...status, replicaStatuses: next }
}

/** Nothing of the job runs any more. */
export function withoutActive(status: JobStatus): JobStatus {
  if (!status.replicaStatuses) return status
  const next: Record<string, ReplicaStatus> = {}
  for (const [name, one] of Object.entries(status.replicaStatuses)) {
    const copy = { ...one }
    delete copy.active
    next[name] = copy
  }
  return { ...status, replicaStatuses: next }
}
