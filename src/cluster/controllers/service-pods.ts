import {
  keyOf,
  kinds,
  type Persisted,
  type Pod,
  type Service,
  type SharedInformers,
  WorkQueue,
} from '../../kube/index.ts'

/** Changes of many pods of a service are written together. */
const settleMs = 20

/** Puts the keys of services into the queue whenever they or their pods change in a way that shows in endpoints. */
export function enqueueServices(informers: SharedInformers, queue: WorkQueue): void {
  const services = informers.of(kinds.services)
  services.subscribe((change) => queue.add(keyOf(change.object)))
  const touched = (pod: Persisted<Pod>): void => {
    for (const service of services.inNamespace(pod.metadata.namespace ?? '')) {
      if (selectsPod(service, pod)) queue.addAfter(keyOf(service), settleMs)
    }
  }
  informers.of(kinds.pods).subscribe((change) => {
    if (change.type === 'MODIFIED') {
      if (viewOf(change.previous) === viewOf(change.object)) return
      touched(change.previous)
    }
    touched(change.object)
  })
}

function selectsPod(service: Persisted<Service>, pod: Persisted<Pod>): boolean {
  const wanted = Object.entries(service.spec?.selector ?? {})
  const labels = pod.metadata.labels ?? {}
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}

export function isReady(pod: Persisted<Pod>): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
}

export function isHeadless(service: Persisted<Service>): boolean {
  return service.spec?.clusterIP === 'None'
}

/** Pods of the service that have an address, by name. Ended ones are not reachable any more. */
export function podsOf(informers: SharedInformers, service: Persisted<Service>): Persisted<Pod>[] {
  const found: Persisted<Pod>[] = []
  for (const pod of informers.of(kinds.pods).inNamespace(service.metadata.namespace ?? '')) {
    const { phase, podIP } = pod.status ?? {}
    if (podIP && phase !== 'Succeeded' && phase !== 'Failed' && selectsPod(service, pod)) found.push(pod)
  }
  return found.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

/** The name under which the pod is found in the service's domain. */
export function hostnameOf(service: Persisted<Service>, pod: Persisted<Pod>): string | undefined {
  return pod.spec?.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined
}

type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number]

/** The number of the pod's port that a service port leads to; undefined when the pod has none of that name. */
export function targetPort(port: ServicePort, pod: Persisted<Pod>): number | undefined {
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target
  for (const container of pod.spec?.containers ?? []) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) {
        return candidate.containerPort
      }
    }
  }
  return undefined
}

function viewOf(pod: Persisted<Pod>): string {
  const { metadata, spec, status } = pod
  return JSON.stringify([
    metadata.labels,
    metadata.deletionTimestamp,
    spec?.nodeName,
    spec?.hostname,
    status?.podIP,
    status?.phase,
    isReady(pod),
  ])
}
