import {
  type DaemonSet,
  type Node,
  type Persisted,
  type Pod,
  type PodSpec,
  requiredNodes,
  type Toleration,
  tolerates,
} from '../../../kube/index.ts'

export type Owner = Persisted<DaemonSet>

/** May a pod of the set come to a node, and may one that is there stay? */
export interface Fit {
  readonly shouldRun: boolean
  readonly mayStay: boolean
}

const tolerated = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect })

/** What the pods of every set put up with: they have to be there while a node is in trouble. */
const always = [
  tolerated('node.kubernetes.io/not-ready', 'NoExecute'),
  tolerated('node.kubernetes.io/unreachable', 'NoExecute'),
  tolerated('node.kubernetes.io/disk-pressure', 'NoSchedule'),
  tolerated('node.kubernetes.io/memory-pressure', 'NoSchedule'),
  tolerated('node.kubernetes.io/pid-pressure', 'NoSchedule'),
  tolerated('node.kubernetes.io/unschedulable', 'NoSchedule'),
]
const onHostNetwork = tolerated('node.kubernetes.io/network-unavailable', 'NoSchedule')

function tolerationsOf(spec: PodSpec): Toleration[] {
  const all = [...(spec.tolerations ?? [])]
  for (const extra of spec.hostNetwork ? [...always, onHostNetwork] : always) {
    const isThere = all.some(
      ({ key, operator, effect, value }) =>
        key === extra.key && operator === extra.operator && effect === extra.effect && !value,
    )
    if (!isThere) all.push(extra)
  }
  return all
}

/** Tells how the pods of a set fit on nodes, by their node selector, affinity and tolerations. */
export function fitTest(owner: Owner): (node: Persisted<Node>) => Fit {
  const spec = owner.spec?.template.spec ?? { containers: [] }
  const matches = requiredNodes(spec)
  const tolerations = tolerationsOf(spec)
  return ({ metadata, spec: { taints = [] } = {} }) => {
    const isMeant = !spec.nodeName || spec.nodeName === metadata.name
    if (!isMeant || matches?.(metadata.labels ?? {}, metadata.name) === false) {
      return { shouldRun: false, mayStay: false }
    }
    const offending = taints.filter(
      (taint) =>
        (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(tolerations, taint),
    )
    return {
      shouldRun: offending.length === 0,
      mayStay: offending.every(({ effect }) => effect !== 'NoExecute'),
    }
  }
}

/** What decides about the fit of a node: nothing else needs a second look. */
export function fitText({ metadata, spec }: Persisted<Node>): string {
  return JSON.stringify([metadata.labels, spec?.taints])
}

export const hashLabel = 'controller-revision-hash'
export const generationLabel = 'pod-template-generation'
export const generationAnnotation = 'deprecated.daemonset.template.generation'

/** The pod of one node: only the scheduler puts it there, but it may go nowhere else. */
export function podFor(
  owner: Owner,
  ownKind: { apiVersion: string; kind: string },
  hash: string,
  nodeName: string,
): Pod {
  const { name, namespace = '', uid, annotations } = owner.metadata
  const { metadata = {}, spec = { containers: [] } } = owner.spec?.template ?? {}
  const generation = annotations?.[generationAnnotation]
  const only = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: {
        ...metadata.labels,
        ...(generation && { [generationLabel]: generation }),
        [hashLabel]: hash,
      },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ...(metadata.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [{ ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      ...spec,
      affinity: {
        ...spec.affinity,
        // The set's own terms have been asked already.
        nodeAffinity: {
          ...spec.affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [only] },
        },
      },
      tolerations: tolerationsOf(spec),
    },
  }
}

/** The node that a pod is on, or is meant for; undefined when it may go anywhere. */
export function targetOf({ spec }: Persisted<Pod>): string | undefined {
  if (spec?.nodeName) return spec.nodeName
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  for (const { matchFields = [] } of terms ?? []) {
    for (const { key, operator, values = [] } of matchFields) {
      if (key === 'metadata.name' && operator === 'In' && values.length === 1) return values[0]
    }
  }
  return undefined
}
