import type { EnvVar, Job, Persisted, Pod, PodSpec } from '../../../kube/index.ts'
import {
  type JobPod,
  type JobSpec,
  failureCountAnnotation,
  failuresBefore,
  ignoredFailureCountAnnotation,
  ignoredFailuresBefore,
  indexAnnotation,
  isIndexed,
  trackingFinalizer,
} from './job-pod.ts'
import { referenceOf } from './pod-claims.ts'
import { matchFailure } from './policies.ts'

/** The server makes names of at most 63 characters and adds five to a prefix. */
const longestPrefix = 58

/** The pod that a job makes, for one completion index where it has indexes. */
export function podOf(job: Persisted<Job>, spec: JobSpec, index: number | undefined, replaced?: JobPod): Pod {
  const { template } = spec
  const { name } = job.metadata
  const indexed = index === undefined ? {} : { [indexAnnotation]: String(index) }
  const podSpec: PodSpec = template.spec ?? { containers: [] }
  const finalizers = [...(template.metadata?.finalizers ?? [])]
  if (!finalizers.includes(trackingFinalizer)) finalizers.push(trackingFinalizer)
  const annotations = {
    ...template.metadata?.annotations,
    ...indexed,
    ...(index !== undefined && spec.backoffLimitPerIndex !== undefined && failureCounts(spec, replaced)),
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: index === undefined ? `${name}-` : indexedPrefix(name, index),
      ...(job.metadata.namespace !== undefined && { namespace: job.metadata.namespace }),
      labels: { ...template.metadata?.labels, ...indexed },
      ...(Object.keys(annotations).length > 0 && { annotations }),
      finalizers,
      ownerReferences: [referenceOf(job)],
    },
    spec: isIndexed(spec) && index !== undefined ? withIndex(podSpec, name, index) : podSpec,
  }
}

function indexedPrefix(name: string, index: number): string {
  const suffix = `-${index}-`
  return `${name.slice(0, longestPrefix - suffix.length)}${suffix}`
}

function failureCounts(spec: JobSpec, replaced: JobPod | undefined): Record<string, string> {
  if (replaced === undefined) return { [failureCountAnnotation]: '0' }
  const { counts } = matchFailure(spec.podFailurePolicy, replaced)
  const ignored = ignoredFailuresBefore(replaced) + (counts ? 0 : 1)
  return {
    [failureCountAnnotation]: String(failuresBefore(replaced) + (counts ? 1 : 0)),
    ...(ignored > 0 && { [ignoredFailureCountAnnotation]: String(ignored) }),
  }
}

function withIndex(podSpec: PodSpec, jobName: string, index: number): PodSpec {
  const variable: EnvVar = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
  }
  const addTo = <T extends { env?: EnvVar[] }>(container: T): T =>
    (container.env ?? []).some(({ name }) => name === variable.name)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] }
  return {
    ...podSpec,
    hostname: `${jobName}-${index}`,
    containers: podSpec.containers.map(addTo),
    ...(podSpec.initContainers && { initContainers: podSpec.initContainers.map(addTo) }),
  }
}
