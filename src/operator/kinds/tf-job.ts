import { type EnvVar, kinds, type ReplicaSpec, type TFJob } from '../../kube/index.ts'
import type { Role, RoleCount, StoredJob, TrainingJobKind, Verdict } from '../training-job/kind.ts'
import { isOfRole, replicaIndex, replicaName } from '../training-job/labels.ts'
import { trainingContainerOf, trainingPort } from '../training-job/objects.ts'

/** In the order in which Kubeflow's operator judges them. */
const roleNames = ['Chief', 'Evaluator', 'Master', 'PS', 'Worker'] as const
const disableAnnotation = 'arena.kubeflow.org/disable-tf-config'

/** `kubeflow.org/v1 TFJob`, with the semantics of Kubeflow's training operator. */
export const tfJob: TrainingJobKind = {
  type: kinds.tfJobs,
  controllerName: 'tfjob-controller',
  container: 'tensorflow',
  port: { name: 'tfjob-port', number: 2222 },
  roles(job) {
    const specs: Partial<Record<string, ReplicaSpec>> = specOf(job).tfReplicaSpecs ?? {}
    return roleNames.flatMap((name) => {
      const spec = specs[name]
      if (!spec) return []
      return [
        {
          name,
          replicas: spec.replicas ?? 1,
          restartPolicy: spec.restartPolicy ?? 'Never',
          template: spec.template,
        },
      ]
    })
  },
  runPolicy: (job) => specOf(job).runPolicy ?? {},
  fault(job) {
    const roles = tfJob.roles(job)
    if (roles.length === 0) return 'TFJobSpec is not valid: tfReplicaSpecs names no role'
    const leaders = roles.filter(isChief)
    if (leaders.length > 1) return 'TFJobSpec is not valid: there may be one role of Chief and Master only'
    for (const role of roles) {
      if (isChief(role) && role.replicas > 1)
        return `TFJobSpec is not valid: ${role.name} may have one replica only`
      if (!trainingContainerOf(tfJob, role.template))
        return `TFJobSpec is not valid: There is no container named ${tfJob.container} in ${role.name}`
    }
    return undefined
  },
  environment(job, role, index) {
    const roles = tfJob.roles(job)
    const isDistributed = roles.reduce((sum, one) => sum + one.replicas, 0) !== 1
    if (!isDistributed || job.metadata.annotations?.[disableAnnotation] === 'true') return []
    return [tfConfig(job, roles, role, index)]
  },
  isLeader: (roles, role, index) =>
    roles.some(isChief) ? isChief(role) : role.name === 'Worker' && index === 0,
  judge(job, counts, pods) {
    const hasChief = counts.some(({ role }) => isChief(role))
    const isWorker0Done = pods.some(
      (pod) => isNamed(pod, 'worker') && replicaIndex(pod) === 0 && pod.status?.phase === 'Succeeded',
    )
    return counts.flatMap((count) => {
      const decides = hasChief ? isChief(count.role) : count.role.name === 'Worker'
      return [...(decides ? progress(job, count, isWorker0Done) : []), ...failure(job, count)]
    })
  },
}

function specOf(job: StoredJob): TFJob['spec'] {
  return (job as StoredJob & TFJob).spec
}

function isChief(role: Role): boolean {
  return role.name === 'Chief' || role.name === 'Master'
}

function isNamed(pod: Parameters<typeof isOfRole>[0], roleName: string): boolean {
  return pod.metadata.labels?.['training.kubeflow.org/replica-type'] === roleName
}

function progress(job: StoredJob, count: RoleCount, isWorker0Done: boolean): Verdict[] {
  const name = `${job.metadata.namespace ?? ''}/${job.metadata.name}`
  const running: Verdict = { type: 'Running', message: `TFJob ${name} is running.` }
  const succeeded: Verdict = { type: 'Succeeded', message: `TFJob ${name} successfully completed.` }
  const areAllDone = count.role.replicas - count.succeeded <= 0
  if (isChief(count.role)) return [...(count.active > 0 ? [running] : []), ...(areAllDone ? [succeeded] : [])]
  const isEnough = isWorker0Done && specOf(job).successPolicy !== 'AllWorkers'
  if (areAllDone || isEnough) return [succeeded]
  return count.active > 0 ? [running] : []
}

function failure(job: StoredJob, count: RoleCount): Verdict[] {
  if (count.failed === 0) return []
  if (count.role.name === 'Worker' && specOf(job).enableDynamicWorker) return []
  const name = `${job.metadata.namespace ?? ''}/${job.metadata.name}`
  return [
    {
      type: 'Failed',
      message: `TFJob ${name} has failed because ${count.failed} ${count.role.name} replica(s) failed.`,
    },
  ]
}

/** Who the replicas are and which of them this one is, as TensorFlow reads it. */
function tfConfig(job: StoredJob, roles: readonly Role[], role: Role, index: number): EnvVar {
  const cluster: Record<string, string[]> = {}
  for (const one of [...roles].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1)))
    cluster[one.name.toLowerCase()] = Array.from({ length: one.replicas }, (_, other) =>
      address(job, one, other),
    )
  const type = role.name.toLowerCase()
  const task = { type, index }
  const config = specOf(job).enableDynamicWorker
    ? { sparseCluster: sparseCluster(cluster, type, index), task }
    : { cluster, task, environment: 'cloud' }
  return { name: 'TF_CONFIG', value: JSON.stringify(config) }
}

function address(job: StoredJob, role: Role, index: number): string {
  const host = `${replicaName(job, role, index)}.${job.metadata.namespace ?? ''}.svc`
  return `${host}:${trainingPort(tfJob, role)}`
}

/** With workers that come and go, each knows only itself and the parameter servers. */
function sparseCluster(
  cluster: Readonly<Record<string, readonly string[]>>,
  type: string,
  index: number,
): { worker: Record<string, string>; ps: readonly string[] } {
  const own = cluster[type]?.[index] ?? ''
  if (type === 'ps') return { worker: {}, ps: [own] }
  if (type === 'worker') return { worker: { [index]: own }, ps: cluster.ps ?? [] }
  return { worker: {}, ps: [] }
}
