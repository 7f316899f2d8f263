import type {
  KubeObject,
  Persisted,
  Pod,
  ReplicaSpec,
  RunPolicy,
  Service,
  TFJob,
} from '../../src/kube/index.ts'
import { tfJob } from '../../src/operator/kinds/tf-job.ts'
import type { Role, StoredJob } from '../../src/operator/training-job/kind.ts'
import { buildPod, buildService } from '../../src/operator/training-job/objects.ts'

type Roles = TFJob['spec']['tfReplicaSpecs'] & { Master?: ReplicaSpec }

interface JobOptions {
  readonly name?: string
  readonly runPolicy?: RunPolicy
  readonly successPolicy?: 'AllWorkers'
  readonly enableDynamicWorker?: boolean
  readonly annotations?: Record<string, string>
  readonly createdAt?: string
}

/** A stored TFJob. */
export function storedJob(roles: Roles, options: JobOptions = {}): StoredJob & TFJob {
  const { runPolicy, successPolicy, enableDynamicWorker } = options
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'TFJob',
    metadata: {
      name: options.name ?? 'mnist',
      namespace: 'dev1',
      uid: `uid-${options.name ?? 'mnist'}`,
      resourceVersion: '1',
      creationTimestamp: options.createdAt ?? '2026-01-01T00:00:00Z',
      ...(options.annotations && { annotations: options.annotations }),
    },
    spec: {
      tfReplicaSpecs: roles,
      ...(runPolicy && { runPolicy }),
      ...(successPolicy && { successPolicy }),
      ...(enableDynamicWorker && { enableDynamicWorker }),
    },
  }
}

/** A role whose container trains, with GPUs if asked. */
export function replicas(
  count: number | undefined,
  options: { restartPolicy?: ReplicaSpec['restartPolicy']; gpus?: number; port?: number } = {},
): ReplicaSpec {
  const limits = options.gpus ? { 'nvidia.com/gpu': String(options.gpus) } : undefined
  return {
    ...(count !== undefined && { replicas: count }),
    ...(options.restartPolicy && { restartPolicy: options.restartPolicy }),
    template: {
      spec: {
        containers: [
          {
            name: 'tensorflow',
            image: 'tf',
            ...(limits && { resources: { limits } }),
            ...(options.port && { ports: [{ name: 'tfjob-port', containerPort: options.port }] }),
          },
        ],
      },
    },
  }
}

export function roleOf(job: StoredJob, name: string): Role {
  const role = tfJob.roles(job).find((one) => one.name === name)
  if (!role) throw new Error(`the job has no role ${name}`)
  return role
}

interface PodState {
  readonly phase?: string
  readonly exitCode?: number
  readonly restartCount?: number
  readonly deletionTimestamp?: string
}

/** A pod of the job as the server shows it. */
export function podOf(job: StoredJob, roleName: string, index: number, state: PodState = {}): Persisted<Pod> {
  const pod = buildPod(tfJob, job, roleOf(job, roleName), index)
  return {
    ...stored(pod),
    status: {
      phase: state.phase ?? 'Pending',
      containerStatuses: [
        {
          name: 'tensorflow',
          image: 'tf',
          imageID: '',
          ready: false,
          restartCount: state.restartCount ?? 0,
          state: state.exitCode === undefined ? {} : { terminated: { exitCode: state.exitCode } },
        },
      ],
    },
    ...(state.deletionTimestamp && {
      metadata: { ...stored(pod).metadata, deletionTimestamp: state.deletionTimestamp },
    }),
  }
}

export function serviceOf(job: StoredJob, roleName: string, index: number): Persisted<Service> {
  return stored(buildService(tfJob, job, roleOf(job, roleName), index))
}

function stored<T extends { metadata?: object }>(object: T): Persisted<T> {
  const metadata = object.metadata as KubeObject['metadata']
  return {
    ...object,
    metadata: {
      ...metadata,
      name: metadata.name ?? '',
      uid: `uid-${metadata.name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
  }
}
