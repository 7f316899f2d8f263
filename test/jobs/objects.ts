import type { Command } from '../../src/cli/command.ts'
import { submitTf } from '../../src/cli/commands/submit-tf.ts'
import { parseInput } from '../../src/cli/parse.ts'
import { observeJobs, type ObservedJob, selectKinds, type Self, tfJob } from '../../src/jobs/index.ts'
import type {
  LimitRange,
  Node,
  Persisted,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  TFJob,
} from '../../src/kube/index.ts'

const bob: Self = {
  username: 'system:serviceaccount:dev1:bob',
  name: 'bob',
  account: { namespace: 'dev1', name: 'bob' },
  groups: [],
}

export const start = '2026-01-01T00:00:00Z'

function meta(name: string, namespace?: string) {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: start,
    ...(namespace !== undefined && { namespace }),
  }
}

/** The TFJob that a command line asks for. */
export function jobOf(
  words: readonly string[],
  options: { settings?: Record<string, string>; uid?: number; readOnly?: string[]; namespace?: string } = {},
): TFJob {
  const command: Command = submitTf
  const input = parseInput(command, words)
  const spec = tfJob.readSpec(input, {
    namespace: options.namespace ?? 'dev1',
    settings: options.settings ?? {},
  })
  return tfJob.build(spec, {
    owner: bob,
    identity: options.uid === undefined ? { groups: [] } : { uid: options.uid, gid: 10001, groups: [20000] },
    readOnlyClaims: new Set(options.readOnly),
  })
}

/** A job as the server has it, with pods. */
export function observed(
  name: string,
  options: {
    flags?: readonly string[]
    createdAt?: string
    pods?: readonly Persisted<Pod>[]
    status?: NonNullable<TFJob['status']>
    suspend?: boolean
  } = {},
): ObservedJob {
  const job = jobOf([`--name=${name}`, '--image=i', '--gpus=1', ...(options.flags ?? []), 'true'])
  const object = {
    ...job,
    metadata: { ...job.metadata, ...meta(name, 'dev1'), creationTimestamp: options.createdAt ?? start },
    spec: { ...job.spec, runPolicy: { ...job.spec.runPolicy, ...(options.suspend && { suspend: true }) } },
    ...(options.status && { status: options.status }),
  }
  const [kind] = selectKinds('tfjob')
  if (kind === undefined) throw new Error('no kind')
  const [result] = observeJobs(kind, [object], options.pods ?? [])
  if (result === undefined) throw new Error('no job')
  return result
}

/** A pod of a job, made of the job's own template. */
export function podOf(
  job: string,
  options: {
    role?: string
    index?: number
    status?: NonNullable<Pod['status']>
    node?: string
    flags?: readonly string[]
  } = {},
): Persisted<Pod> {
  const { role = 'chief', index = 0 } = options
  const built = jobOf([`--name=${job}`, '--image=i', '--gpus=1', ...(options.flags ?? []), 'true'])
  const template = Object.entries(built.spec.tfReplicaSpecs).find(
    ([type]) => type.toLowerCase() === role,
  )?.[1]?.template
  return {
    metadata: {
      ...meta(`${job}-${role}-${index}`, 'dev1'),
      labels: {
        ...template?.metadata?.labels,
        'training.kubeflow.org/job-name': job,
        'training.kubeflow.org/replica-type': role,
        'training.kubeflow.org/replica-index': String(index),
      },
      ownerReferences: [
        { apiVersion: 'kubeflow.org/v1', kind: 'TFJob', name: job, uid: `uid-${job}`, controller: true },
      ],
    },
    spec: {
      containers: [],
      ...template?.spec,
      ...(options.node !== undefined && { nodeName: options.node }),
    },
    status: options.status ?? { phase: 'Running', startTime: start, hostIP: '10.0.0.94' },
  }
}

export function quotaOf(
  hard: Record<string, string>,
  used: Record<string, string> = {},
): Persisted<ResourceQuota> {
  return { metadata: meta('dev1-compute-resources', 'dev1'), spec: { hard }, status: { hard, used } }
}

export function nodeOf(
  name: string,
  allocatable: Record<string, string>,
  extra: { labels?: Record<string, string>; taint?: string } = {},
): Persisted<Node> {
  return {
    metadata: { ...meta(name), ...(extra.labels && { labels: extra.labels }) },
    spec: extra.taint === undefined ? {} : { taints: [{ key: extra.taint, effect: 'NoSchedule' }] },
    status: { allocatable, capacity: allocatable },
  }
}

export function claimOf(name: string, access?: string): Persisted<PersistentVolumeClaim> {
  return {
    metadata: {
      ...meta(name, 'dev1'),
      ...(access !== undefined && { annotations: { 'arena.dev/access': access } }),
    },
    spec: { accessModes: ['ReadWriteMany'] },
    status: { phase: 'Bound' },
  }
}

export function limitRangeOf(defaults: Record<string, string>): Persisted<LimitRange> {
  return {
    metadata: meta('limits', 'dev1'),
    spec: { limits: [{ type: 'Container', default: defaults, defaultRequest: defaults }] },
  }
}
