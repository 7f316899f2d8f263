import type { Node, Persisted, Pod, PodSpec, Taint } from '../../../src/kube/index.ts'
import { ClusterState, type Lookups } from '../../../src/cluster/scheduler/cluster-state.ts'
import { type PodInfo, podInfo } from '../../../src/cluster/scheduler/pod-info.ts'

let count = 0

function metadata(name: string): Persisted<object>['metadata'] {
  count += 1
  return {
    name,
    uid: `uid-${count}`,
    resourceVersion: String(count),
    creationTimestamp: '2026-01-01T00:00:00Z',
  }
}

export function node(
  name: string,
  options: {
    resources?: Record<string, string>
    labels?: Record<string, string>
    taints?: Taint[]
    unschedulable?: boolean
  } = {},
): Persisted<Node> {
  const resources = { cpu: '4', memory: '8Gi', pods: '10', ...options.resources }
  return {
    metadata: { ...metadata(name), labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    spec: {
      ...(options.taints && { taints: options.taints }),
      ...(options.unschedulable && { unschedulable: true }),
    },
    status: { allocatable: resources, capacity: resources },
  }
}

export function pod(
  name: string,
  requests: Record<string, string> = {},
  options: { spec?: Partial<PodSpec>; labels?: Record<string, string>; status?: Pod['status'] } = {},
): PodInfo {
  return podInfo({
    metadata: { ...metadata(name), namespace: 'dev1', labels: options.labels ?? {} },
    spec: { containers: [{ name: 'main', image: 'busybox', resources: { requests } }], ...options.spec },
    ...(options.status && { status: options.status }),
  })
}

const nothing: Lookups = {
  namespace: () => undefined,
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
}

export function cluster(nodes: readonly Persisted<Node>[], lookups: Partial<Lookups> = {}): ClusterState {
  const state = new ClusterState({ ...nothing, ...lookups })
  for (const one of nodes) state.setNode(one)
  return state
}
