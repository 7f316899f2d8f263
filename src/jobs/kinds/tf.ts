import { kinds, type ReplicaSpec, type TFJob, type TFReplicaType } from '../../kube/index.ts'
import { jobAnnotations, jobLabels, userIdOf } from '../labels.ts'
import { commonSpec, count, type FlagValues, type JobSpec, type SpecDefaults } from '../submit/spec.ts'
import { keyValues, oneOf, quantity } from '../submit/spec-values.ts'
import type { BuildContext, JobKind, JobState, RolePlan } from './kind.ts'
import { podTemplate, type RoleSpec } from './pod-template.ts'
import { roleAffinity, type AffinityRule } from './role-affinity.ts'

type TFRole = 'ps' | 'worker' | 'chief' | 'evaluator'

const roleNames: readonly TFRole[] = ['ps', 'worker', 'chief', 'evaluator']

// The names that the spec of a TFJob uses.
const replicaTypes: Readonly<Record<TFRole, TFReplicaType>> = {
  ps: 'PS',
  worker: 'Worker',
  chief: 'Chief',
  evaluator: 'Evaluator',
}

const defaultPort = 2222

/** What one role of a TFJob was asked for. */
interface TFRoleRequest {
  readonly replicas: number
  readonly image: string
  readonly cpu?: string
  readonly cpuLimit?: string
  readonly memory?: string
  readonly memoryLimit?: string
  readonly gpus: number
  readonly port: number
  /** Takes the place of the job's own selector. */
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly affinity: AffinityRule
}

/** What `arena submit tf` was asked for. */
export interface TFJobRequest extends JobSpec {
  /** `--workers` as typed; a standalone job says 1 and has a chief instead. */
  readonly workers: number
  readonly roles: Readonly<Record<TFRole, TFRoleRequest>>
  readonly isStandalone: boolean
  readonly successPolicy: '' | 'AllWorkers'
  readonly roleSequence: readonly string[]
}

/** TensorFlow jobs: `kubeflow.org/v1 TFJob`. */
export const tfJob: JobKind<TFJobRequest, TFJob> = {
  name: 'tfjob',
  aliases: ['tf', 'tensorflow'],
  resource: kinds.tfJobs,
  readSpec,
  build,
  roles,
  stateOf,
  chiefRole: (job) =>
    job.spec.tfReplicaSpecs.Chief === undefined ? { role: 'worker', index: 0 } : { role: 'chief', index: 0 },
  resourceFlag: (role, resource) => `--${role}-${resource}`,
  isSuspended: (job) => job.spec.runPolicy?.suspend === true,
}

function readSpec(flags: FlagValues, defaults: SpecDefaults): TFJobRequest {
  const common = commonSpec(flags, defaults)
  const workers = flags.isGiven('workers') ? count(flags, 'workers') : 1
  const ps = count(flags, 'ps')
  // One worker and no parameter server is a program of its own: it runs as the chief and needs no TF_CONFIG.
  const isStandalone = ps === 0 && workers === 1
  const read = (role: TFRole): Omit<TFRoleRequest, 'replicas'> => roleRequest(flags, common, role)
  const worker = read('worker')
  const chief = read('chief')
  return {
    ...common,
    workers,
    isStandalone,
    roles: {
      ps: { ...read('ps'), replicas: ps },
      worker: { ...worker, replicas: isStandalone ? 0 : workers },
      chief: {
        // What was said of the only worker holds for the chief that it becomes.
        ...(isStandalone ? { ...worker, ...definedOnly(chief) } : chief),
        replicas: isStandalone || flags.flag('chief') ? 1 : 0,
      },
      evaluator: { ...read('evaluator'), replicas: flags.flag('evaluator') ? 1 : 0 },
    },
    successPolicy:
      oneOf(flags, 'success-policy', ['ChiefWorker', 'AllWorkers'], 'ChiefWorker') === 'AllWorkers'
        ? 'AllWorkers'
        : '',
    roleSequence: sequence(flags.text('role-sequence') || (defaults.settings['tfjob_role_sequence'] ?? '')),
  }
}

function roleRequest(flags: FlagValues, common: JobSpec, role: TFRole): Omit<TFRoleRequest, 'replicas'> {
  const cpu = quantity(flags, `${role}-cpu`)
  const cpuLimit = quantity(flags, `${role}-cpu-limit`)
  const memory = quantity(flags, `${role}-memory`)
  const memoryLimit = quantity(flags, `${role}-memory-limit`)
  const ownImage = flags.text(role === 'ps' ? 'ps-image' : 'worker-image') || common.image
  const selector = keyValues(flags, `${role}-selector`, { checks: 'labels' })
  const hasAffinity = role === 'ps' || role === 'worker'
  return {
    image: ownImage,
    gpus: role === 'ps' ? count(flags, 'ps-gpus') : common.gpus,
    port: count(flags, `${role}-port`) || defaultPort,
    affinity: hasAffinity
      ? {
          policy: oneOf(flags, `${role}-affinity-policy`, ['none', 'spread', 'binpack'], 'none'),
          isRequired:
            oneOf(flags, `${role}-affinity-constraint`, ['preferred', 'required'], 'preferred') ===
            'required',
        }
      : { policy: 'none', isRequired: false },
    ...(cpu !== undefined && { cpu }),
    ...(cpuLimit !== undefined && { cpuLimit }),
    ...(memory !== undefined && { memory }),
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(Object.keys(selector).length > 0 && { nodeSelector: selector }),
  }
}

/** What the chief's own flags said, without what they left open. */
function definedOnly(chief: Omit<TFRoleRequest, 'replicas'>): Partial<TFRoleRequest> {
  const { cpu, cpuLimit, memory, memoryLimit, nodeSelector } = chief
  return {
    ...(cpu !== undefined && { cpu }),
    ...(cpuLimit !== undefined && { cpuLimit }),
    ...(memory !== undefined && { memory }),
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(nodeSelector !== undefined && { nodeSelector }),
    ...(chief.port !== defaultPort && { port: chief.port }),
  }
}

const sequenceNames: Readonly<Record<string, string>> = {
  w: 'Worker',
  worker: 'Worker',
  p: 'PS',
  ps: 'PS',
  c: 'Chief',
  chief: 'Chief',
  e: 'Evaluator',
  evaluator: 'Evaluator',
}

function sequence(text: string): string[] {
  return text
    .split(',')
    .map((part) => sequenceNames[part.trim().toLowerCase()])
    .filter((name): name is string => name !== undefined)
}

function build(request: TFJobRequest, context: BuildContext): TFJob {
  const wanted = roleNames.filter((role) => request.roles[role].replicas > 0)
  const gpuTotal = wanted
    .filter((role) => role !== 'ps')
    .reduce((sum, role) => sum + request.roles[role].replicas * request.roles[role].gpus, 0)
  const labels = {
    ...request.labels,
    [jobLabels.app]: 'tfjob',
    [jobLabels.release]: request.name,
    [jobLabels.heritage]: 'Arena',
    [jobLabels.createdBy]: 'TFJob',
    [jobLabels.owner]: context.owner.name,
    [jobLabels.userId]: userIdOf(context.owner.username),
  }
  const annotations = {
    ...request.annotations,
    [jobAnnotations.username]: context.owner.username,
    [jobAnnotations.originalUsername]: context.owner.username,
    [jobAnnotations.requestedGpus]: String(gpuTotal),
    ...(request.isStandalone && { [jobAnnotations.isStandalone]: 'true' }),
    ...(request.roleSequence.length > 0 && { [jobAnnotations.roleSequence]: request.roleSequence.join(',') }),
    ...(request.isQueued && { [jobAnnotations.suspendForQueue]: 'true' }),
  }
  const podCount = wanted.reduce((sum, role) => sum + request.roles[role].replicas, 0)
  const podLabels = request.isGang
    ? {
        ...labels,
        [jobLabels.gangName]: `tfjob-${request.name}`,
        [jobLabels.gangSize]: String(podCount),
      }
    : labels
  const specs: Partial<Record<TFReplicaType, ReplicaSpec>> = {}
  for (const role of wanted) {
    specs[replicaTypes[role]] = {
      replicas: request.roles[role].replicas,
      restartPolicy: role === 'worker' && request.roles.chief.replicas > 0 ? 'OnFailure' : 'Never',
      template: podTemplate({
        spec: request,
        role: roleSpec(request, role),
        containerName: 'tensorflow',
        context,
        labels: podLabels,
        annotations,
      }),
    }
  }
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'TFJob',
    metadata: { name: request.name, namespace: request.namespace, labels, annotations },
    spec: {
      runPolicy: {
        cleanPodPolicy: request.cleanPodPolicy,
        ...(request.runningTimeoutSeconds !== undefined && {
          activeDeadlineSeconds: request.runningTimeoutSeconds,
        }),
        ...(request.ttlSecondsAfterFinished !== undefined && {
          ttlSecondsAfterFinished: request.ttlSecondsAfterFinished,
        }),
        ...(request.backoffLimit !== undefined && { backoffLimit: request.backoffLimit }),
      },
      ...(request.successPolicy !== '' && { successPolicy: request.successPolicy }),
      tfReplicaSpecs: specs,
    },
  }
}

function roleSpec(request: TFJobRequest, role: TFRole): RoleSpec {
  const { replicas: _, port, affinity: rule, nodeSelector, ...own } = request.roles[role]
  const affinity = roleAffinity(rule, { job: request.name, role })
  return {
    ...own,
    nodeSelector: nodeSelector ?? request.nodeSelector,
    usesRdma: request.usesRdma,
    environment: [{ name: 'workers', value: String(request.workers) }],
    ...(role !== 'evaluator' && { port: { name: 'tfjob-port', number: port } }),
    ...(affinity && { affinity }),
  }
}

function roles(job: TFJob): RolePlan[] {
  return Object.entries(job.spec.tfReplicaSpecs).flatMap(([type, spec]) =>
    spec === undefined
      ? []
      : [
          {
            role: type.toLowerCase(),
            replicas: spec.replicas ?? 1,
            pod: {
              ...spec.template,
              metadata: { ...spec.template.metadata, namespace: job.metadata?.namespace ?? '' },
            },
          },
        ],
  )
}

function stateOf(job: TFJob): JobState {
  const holds = (type: string): boolean =>
    (job.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')
  if (holds('Succeeded')) return 'SUCCEEDED'
  if (holds('Failed')) return 'FAILED'
  if (job.spec.runPolicy?.suspend === true || holds('Suspended')) return 'SUSPENDED'
  if (holds('Running')) return 'RUNNING'
  return 'PENDING'
}
