import type { Admission, Admitter } from '../registry/index.ts'
import {
  addQuantities,
  computeUsage,
  formatQuantity,
  isInScope,
  isStatus,
  keysForResource,
  type KubeObject,
  parseQuantity,
  type Pod,
  quantityOf,
  type ResourceQuota,
  subtractQuantities,
  unstatedResources,
  type Usage,
  usageOf,
} from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { PendingCharges } from './pending-charges.ts'
import { nameOf, refused, resourceOf } from './refusal.ts'

const zero = quantityOf(0)

/** Who counts what is there; whatever others write into a status stays as they wrote it. */
const counter = 'system:serviceaccount:kube-system:resourcequota-controller'

/**
 * Charges every new object to the quotas of its namespace and refuses what would exceed one. The charge is a
 * compare-and-swap on the quota's `status.used`, so that requests at the same moment cannot overshoot together; what
 * goes away again is given back by whoever counts anew.
 */
export function resourceQuota({ reader, writer, now }: AdmissionContext): Admitter {
  const pending = new PendingCharges(reader, now)
  /** What the attempts of an update have been charged. */
  const charges = new WeakMap<object, { readonly quotas: readonly ResourceQuota[]; readonly usage: Usage }>()

  function interestedQuotas(admission: Admission, object: KubeObject): ResourceQuota[] {
    const resource = resourceOf(admission)
    const interested: ResourceQuota[] = []
    for (const candidate of reader.list('/resourcequotas', admission.request.namespace)) {
      const quota = asQuota(candidate)
      const keys = keysForResource(Object.keys(hardOf(quota)), resource)
      if (keys.length === 0 || !isInScope(quota, resource, object)) continue
      const unstated = resource === '/pods' ? unstatedResources(object as Pod, keys) : undefined
      if (unstated !== undefined) {
        throw refused(admission, `failed quota: ${quota.metadata?.name ?? ''}: ${unstated}`)
      }
      interested.push(quota)
    }
    return interested
  }

  function delta(admission: Admission, object: KubeObject): Usage {
    const resource = resourceOf(admission)
    const usage = usageOf(resource, object, now())
    const negative = [...usage].filter(([, amount]) => amount.nanos < 0n).map(([key]) => key)
    if (negative.length > 0) {
      throw refused(admission, `quota usage is negative for resource(s): ${negative.sort().join(',')}`)
    }
    if (admission.operation === 'UPDATE' && admission.oldObject !== undefined) {
      for (const [key, amount] of usageOf(resource, admission.oldObject, now())) {
        usage.set(key, subtractQuantities(usage.get(key) ?? zero, amount))
      }
    }
    for (const [key, amount] of usage) if (amount.nanos === 0n) usage.delete(key)
    return usage
  }

  /** The quota with this request added to its usage. */
  function charged(admission: Admission, quota: ResourceQuota, usage: Usage): ResourceQuota {
    const hard = hardOf(quota)
    const keys = [...usage.keys()].filter((key) => hard[key] !== undefined)
    const used = usedOf(quota, keys, admission)
    const exceeded: string[] = []
    const next: Record<string, string> = { ...used }
    for (const key of keys) {
      const [limit = '0', amount = zero] = [hard[key], usage.get(key)]
      const sum = addQuantities(parseQuantity(used[key] ?? '0'), amount)
      // What only shrinks is never refused, even while the namespace is above its quota.
      if (amount.nanos > 0n && sum.nanos > parseQuantity(limit).nanos) exceeded.push(key)
      next[key] = formatQuantity(sum)
    }
    if (exceeded.length > 0) {
      const line = (value: (key: string) => string): string =>
        exceeded
          .sort()
          .map((key) => `${key}=${value(key)}`)
          .join(',')
      throw refused(
        admission,
        `exceeded quota: ${quota.metadata?.name ?? ''}, requested: ${line((key) => formatQuantity(usage.get(key) ?? zero))}, used: ${line((key) => used[key] ?? '0')}, limited: ${line((key) => canonical(hard[key]))}`,
      )
    }
    return { ...quota, status: { ...quota.status, hard: quota.status?.hard ?? hard, used: next } }
  }

  /** `status.used`; counted now when nobody has counted yet one of the keys that matter. */
  function usedOf(
    quota: ResourceQuota,
    keys: readonly string[],
    admission: Admission,
  ): Record<string, string> {
    const used = quota.status?.used ?? {}
    if (keys.every((key) => used[key] !== undefined)) return used
    return { ...countedNow(quota, admission), ...used }
  }

  /** Everything readable and everything on its way, except what this very request has announced. */
  function countedNow(quota: ResourceQuota, admission: Admission): Record<string, string> {
    const namespace = quota.metadata?.namespace ?? ''
    const used = computeUsage(quota, (resource) => reader.list(resource, namespace), now())
    for (const charge of pending.of(namespace, quota.metadata?.name ?? '')) {
      if (charge.owner === admission) continue
      for (const key of keysForResource(Object.keys(used), charge.resource)) {
        const amount = charge.usage.get(key)
        if (amount !== undefined)
          used[key] = formatQuantity(addQuantities(parseQuantity(used[key] ?? '0'), amount))
      }
    }
    return used
  }

  async function charge(admission: Admission, object: KubeObject): Promise<void> {
    const { namespace = '', dryRun } = admission.request
    const resource = resourceOf(admission)
    await takeBack(admission)
    const quotas = interestedQuotas(admission, object)
    if (quotas.length === 0) return
    const usage = delta(admission, object)
    if (usage.size === 0) return
    // All are asked before any is charged: a request that the second refuses must not weigh on the first.
    for (const quota of quotas) charged(admission, quota, usage)
    if (dryRun) return
    const applicable = quotas.filter((quota) => keysOverlap(hardOf(quota), usage))
    const done: ResourceQuota[] = []
    if (admission.operation === 'UPDATE') charges.set(admission.request, { quotas: done, usage })
    try {
      for (const quota of applicable) {
        await chargeOne(admission, quota, usage)
        done.push(quota)
      }
    } catch (error) {
      pending.settle(namespace, resource, nameOf(admission))
      await refund(admission, done, usage)
      charges.delete(admission.request)
      throw error
    }
  }

  /** An update comes again when another write came between: it is charged once, for what it then is. */
  async function takeBack(admission: Admission): Promise<void> {
    const earlier = charges.get(admission.request)
    if (earlier === undefined) return
    charges.delete(admission.request)
    await refund(admission, earlier.quotas, earlier.usage)
  }

  async function refund(admission: Admission, quotas: readonly ResourceQuota[], usage: Usage): Promise<void> {
    const back = new Map([...usage].map(([key, amount]) => [key, subtractQuantities(zero, amount)]))
    for (const quota of quotas) await chargeOne(admission, quota, back, { isRefund: true })
  }

  async function chargeOne(
    admission: Admission,
    quota: ResourceQuota,
    usage: Usage,
    { isRefund }: { readonly isRefund: boolean } = { isRefund: false },
  ): Promise<void> {
    const { namespace = '' } = admission.request
    const name = quota.metadata?.name ?? ''
    const object = { namespace, resource: resourceOf(admission), name: nameOf(admission) }
    try {
      await writer.update('/resourcequotas', namespace, name, (current) => {
        const next = charged(admission, asQuota(current), usage)
        // From this very moment on whoever counts must know of it, long before the write is on disk.
        if (admission.operation === 'CREATE' && !isRefund)
          pending.add({ ...object, quota: name, usage, owner: admission })
        return asObject(next)
      })
    } catch (error) {
      // Deleted in the meantime: it limits nobody any more.
      if (!isStatus(error, 'NotFound')) throw error
    }
  }

  return {
    name: 'ResourceQuota',
    mutate(admission: Admission): void {
      const { operation, request, object } = admission
      if (operation !== 'UPDATE' || object === undefined || resourceOf(admission) !== '/resourcequotas')
        return
      if (request.subresource !== 'status' || request.user.name !== counter) return
      // Whoever counted saw objects only as they were readable a moment ago; charged ones still on their way would
      // be lost. Counting again at the write leaves no gap: a charge after this makes the write a conflict.
      const quota = asQuota(object)
      if (quota.status?.used !== undefined)
        quota.status.used = { ...quota.status.used, ...countedNow(quota, admission) }
    },
    validate(admission: Admission): Promise<void> | void {
      const { operation, request, object } = admission
      const { namespace } = request
      if (namespace === undefined) return undefined
      if (operation === 'DELETE' || operation === 'UPDATE') {
        if (request.name) pending.settle(namespace, resourceOf(admission), request.name)
      }
      if (object === undefined || !isCharged(admission)) return undefined
      if (reader.count('/resourcequotas', namespace) === 0) return undefined
      if (
        operation === 'CREATE' &&
        object.metadata.name &&
        reader.get(resourceOf(admission), namespace, object.metadata.name) !== undefined
      ) {
        // The registry will answer that it exists already; charging for it would leak usage.
        return undefined
      }
      return charge(admission, object)
    },
  }
}

/** Every create; updates only where an object can come to need more. */
function isCharged(admission: Admission): boolean {
  const { operation, request } = admission
  if (operation === 'CREATE') return request.subresource === undefined
  if (operation !== 'UPDATE') return false
  const resource = resourceOf(admission)
  if (resource === '/pods') return request.subresource === 'resize'
  return (
    request.subresource === undefined && (resource === '/services' || resource === '/persistentvolumeclaims')
  )
}

function keysOverlap(hard: Readonly<Record<string, string>>, usage: Usage): boolean {
  return Object.keys(hard).some((key) => usage.has(key))
}

function hardOf(quota: ResourceQuota): Record<string, string> {
  return quota.spec?.hard ?? {}
}

function canonical(text: string | undefined): string {
  return formatQuantity(parseQuantity(text ?? '0'))
}

function asQuota(object: object): ResourceQuota {
  return object as ResourceQuota
}

function asObject(quota: ResourceQuota): KubeObject {
  return { ...quota, metadata: quota.metadata ?? {} } as KubeObject
}
