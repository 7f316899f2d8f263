import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import { ageColumn, column, nameColumn, since, wideColumn } from '../columns.ts'
import type { ColumnOf, Of } from '../define.ts'

interface Summary {
  ready: number
  total: number
  reason: string
  restarts: number
  lastRestart: string
}

export const podColumns: readonly ColumnOf<Pod>[] = [
  nameColumn,
  column('Ready', 'The aggregate readiness state of this pod for accepting traffic.', (pod) => {
    const { ready, total } = summaryOf(pod)
    return `${ready}/${total}`
  }),
  column('Status', 'The aggregate status of the containers in this pod.', (pod) => summaryOf(pod).reason),
  column(
    'Restarts',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    (pod, now) => {
      const { restarts, lastRestart } = summaryOf(pod)
      return restarts === 0 || lastRestart === ''
        ? String(restarts)
        : `${restarts} (${since(lastRestart, now)} ago)`
    },
  ),
  ageColumn,
  wideColumn(
    'IP',
    'podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.',
    (pod) => pod.status?.podIPs?.[0]?.ip || '<none>',
  ),
  wideColumn(
    'Node',
    'NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename',
    (pod) => pod.spec?.nodeName || '<none>',
  ),
  wideColumn(
    'Nominated Node',
    'nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.',
    (pod) => pod.status?.nominatedNodeName || '<none>',
  ),
  wideColumn(
    'Readiness Gates',
    'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
    gatesText,
  ),
]

// Three columns of a row ask for the summary of the same object, one after the other.
const summaries = new WeakMap<object, Summary>()

function summaryOf(pod: Of<Pod>): Summary {
  let summary = summaries.get(pod)
  if (summary === undefined) {
    summary = summarize(pod)
    summaries.set(pod, summary)
  }
  return summary
}

/** How far the pod has come, in the words of `kubectl get pods`. */
function summarize(pod: Of<Pod>): Summary {
  const { spec, status = {} } = pod
  const sidecars = new Set(
    (spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  )
  const summary: Summary = {
    ready: 0,
    total: (spec?.containers?.length ?? 0) + sidecars.size,
    reason: status.reason || status.phase || '',
    restarts: 0,
    lastRestart: '',
  }
  const conditions = status.conditions ?? []
  const isTrue = (type: string): boolean =>
    conditions.some((condition) => condition.type === type && condition.status === 'True')
  if (conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')) {
    summary.reason = 'SchedulingGated'
  }
  const { isInitializing, sidecarRestarts } = countInit(summary, pod, sidecars)
  if (!isInitializing || isTrue('Initialized')) {
    summary.restarts = sidecarRestarts.restarts
    summary.lastRestart = sidecarRestarts.lastRestart
    countContainers(summary, status.containerStatuses ?? [], isTrue('Ready'))
  }
  const isFinished = status.phase === 'Succeeded' || status.phase === 'Failed'
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (!isFinished) summary.reason = 'Terminating'
  }
  return summary
}

/** Follows the init containers up to the first that is not done. */
function countInit(
  summary: Summary,
  { spec, status }: Of<Pod>,
  sidecars: ReadonlySet<string>,
): { isInitializing: boolean; sidecarRestarts: Pick<Summary, 'restarts' | 'lastRestart'> } {
  const sidecarRestarts = { restarts: 0, lastRestart: '' }
  const total = spec?.initContainers?.length ?? 0
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name)
    countRestarts(summary, container)
    if (isSidecar) countRestarts(sidecarRestarts, container)
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (isSidecar && container.started) {
      if (container.ready) summary.ready++
      continue
    }
    if (terminated) summary.reason = `Init:${endText(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') {
      summary.reason = `Init:${waiting.reason}`
    } else summary.reason = `Init:${index}/${total}`
    return { isInitializing: true, sidecarRestarts }
  }
  return { isInitializing: false, sidecarRestarts }
}

function countContainers(summary: Summary, containers: readonly ContainerStatus[], isReady: boolean): void {
  let hasRunning = false
  // From the last to the first: the first container that has something to say has the last word.
  for (const container of containers.toReversed()) {
    countRestarts(summary, container)
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) summary.reason = waiting.reason
    else if (terminated) summary.reason = endText(terminated)
    else if (container.ready && running) {
      hasRunning = true
      summary.ready++
    }
  }
  if (summary.reason === 'Completed' && hasRunning) summary.reason = isReady ? 'Running' : 'NotReady'
}

function countRestarts(count: Pick<Summary, 'restarts' | 'lastRestart'>, container: ContainerStatus): void {
  count.restarts += container.restartCount ?? 0
  const finished = container.lastState?.terminated?.finishedAt ?? ''
  if (finished > count.lastRestart) count.lastRestart = finished
}

function endText({
  reason,
  signal,
  exitCode,
}: {
  reason?: string
  signal?: number
  exitCode: number
}): string {
  if (reason) return reason
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`
}

function gatesText({ spec, status }: Of<Pod>): string {
  const gates = spec?.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const open = gates.filter(({ conditionType }) =>
    status?.conditions?.some(({ type, status: value }) => type === conditionType && value === 'True'),
  )
  return `${open.length}/${gates.length}`
}
