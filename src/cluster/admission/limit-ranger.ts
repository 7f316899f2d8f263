import type { Admission, Admitter } from '../registry/index.ts'
import {
  type Container,
  formatQuantity,
  type LimitRange,
  parseQuantity,
  type PersistentVolumeClaim,
  type Pod,
  podLimits,
  podRequests,
  type Quantity,
} from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { containersOf, podOf } from './pod.ts'
import { joined, refused, resourceOf } from './refusal.ts'

const annotation = 'kubernetes.io/limit-ranger'

type Limit = NonNullable<LimitRange['spec']>['limits'][number]
type Amounts = Readonly<Record<string, Quantity>>

/** Fills in default requests and limits of containers, and refuses what is outside a namespace's limit ranges. */
export function limitRanger({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  function rangesOf(namespace: string | undefined): LimitRange[] {
    if (namespace === undefined || reader.count('/limitranges', namespace) === 0) return []
    return [...reader.list('/limitranges', namespace)].map((object) => object as object as LimitRange)
  }

  return {
    name: 'LimitRanger',
    mutate(admission: Admission): void {
      if (admission.operation !== 'CREATE') return
      const pod = podOf(admission)
      if (pod === undefined) return
      for (const range of rangesOf(admission.request.namespace)) setDefaults(pod, range)
    },
    validate(admission: Admission): void {
      const { operation, request, object, oldObject } = admission
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (object === undefined || oldObject?.metadata.deletionTimestamp !== undefined) return
      const resource = resourceOf(admission)
      // Containers of a pod change through `resize` alone.
      const isPod =
        resource === '/pods' && request.subresource === (operation === 'CREATE' ? undefined : 'resize')
      const isClaim = resource === '/persistentvolumeclaims' && request.subresource === undefined
      if (!isPod && !isClaim) return
      for (const range of rangesOf(request.namespace)) {
        const complaints = (range.spec?.limits ?? []).flatMap((limit) =>
          isPod
            ? podComplaints(limit, object as Pod)
            : claimComplaints(limit, object as PersistentVolumeClaim),
        )
        if (complaints.length > 0) throw refused(admission, joined(complaints))
      }
    },
  }
}

function setDefaults(pod: Pod, range: LimitRange): void {
  const requests: Record<string, string> = {}
  const limits: Record<string, string> = {}
  for (const limit of range.spec?.limits ?? []) {
    if (limit.type !== 'Container') continue
    Object.assign(requests, limit.defaultRequest)
    Object.assign(limits, limit.default)
  }
  const notes: string[] = []
  const fill = (container: Container, what: string): void => {
    const resources = { ...container.resources }
    for (const [field, defaults] of [
      ['requests', requests],
      ['limits', limits],
    ] as const) {
      const missing = Object.keys(defaults).filter((name) => resources[field]?.[name] === undefined)
      if (missing.length === 0) continue
      resources[field] = { ...pick(defaults, missing), ...resources[field] }
      const noun = field === 'requests' ? 'request' : 'limit'
      notes.push(`${missing.sort().join(', ')} ${noun} for ${what} ${container.name}`)
    }
    container.resources = resources
  }
  for (const container of pod.spec?.containers ?? []) fill(container, 'container')
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container')
  if (notes.length === 0) return
  pod.metadata = {
    ...pod.metadata,
    annotations: {
      ...pod.metadata?.annotations,
      [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
    },
  }
}

function pick(values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? '0']))
}

function podComplaints(limit: Limit, pod: Pod): string[] {
  if (limit.type === 'Pod') return constraints(limit, podRequests(pod), podLimits(pod))
  if (limit.type !== 'Container') return []
  return [...containersOf(pod)].flatMap((container) =>
    constraints(limit, amounts(container.resources?.requests), amounts(container.resources?.limits)),
  )
}

function claimComplaints(limit: Limit, claim: PersistentVolumeClaim): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return []
  const requests = amounts(claim.spec?.resources?.requests)
  const complaints: string[] = []
  for (const [name, least] of entries(limit.min)) {
    complaints.push(...minimum(name, limit.type, least, requests[name], undefined))
  }
  for (const [name, most] of entries(limit.max)) {
    const request = requests[name]
    const rule = `maximum ${name} usage per ${limit.type} is ${formatQuantity(most)}`
    if (request === undefined) complaints.push(`${rule}.  No request is specified`)
    else if (request.nanos > most.nanos) complaints.push(`${rule}, but request is ${formatQuantity(request)}`)
  }
  return complaints
}

function constraints(limit: Limit, requests: Amounts, limits: Amounts): string[] {
  const complaints: string[] = []
  for (const [name, least] of entries(limit.min)) {
    complaints.push(...minimum(name, limit.type, least, requests[name], limits[name]))
  }
  for (const [name, most] of entries(limit.max)) {
    complaints.push(...maximum(name, limit.type, most, requests[name], limits[name]))
  }
  for (const [name, ratio] of entries(limit.maxLimitRequestRatio)) {
    complaints.push(...withinRatio(name, limit.type, ratio, requests[name], limits[name]))
  }
  return complaints
}

function minimum(
  name: string,
  type: string,
  least: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const rule = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`
  if (request === undefined) return [`${rule}.  No request is specified`]
  if (request.nanos < least.nanos) return [`${rule}, but request is ${formatQuantity(request)}`]
  if (limit !== undefined && limit.nanos < least.nanos)
    return [`${rule}, but limit is ${formatQuantity(limit)}`]
  return []
}

function maximum(
  name: string,
  type: string,
  most: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`
  if (limit === undefined) return [`${rule}.  No limit is specified`]
  if (limit.nanos > most.nanos) return [`${rule}, but limit is ${formatQuantity(limit)}`]
  if (request !== undefined && request.nanos > most.nanos) {
    return [`${rule}, but request is ${formatQuantity(request)}`]
  }
  return []
}

function withinRatio(
  name: string,
  type: string,
  most: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(most)}`
  if (request === undefined || request.nanos === 0n)
    return [`${rule}, but no request is specified or request is 0`]
  if (limit === undefined || limit.nanos === 0n) return [`${rule}, but no limit is specified or limit is 0`]
  // limit / request > most, without leaving whole numbers.
  if (limit.nanos * 1_000_000_000n <= most.nanos * request.nanos) return []
  return [`${rule}, but provided ratio is ${(Number(limit.nanos) / Number(request.nanos)).toFixed(6)}`]
}

function amounts(list: Readonly<Record<string, string>> | undefined): Record<string, Quantity> {
  return Object.fromEntries(entries(list))
}

function entries(list: Readonly<Record<string, string>> | undefined): [string, Quantity][] {
  return Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)])
}
