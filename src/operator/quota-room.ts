import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isInScope,
  keysForResource,
  type KubeObject,
  parseQuantity,
  type Persisted,
  type Pod,
  type Quantity,
  quantityOf,
  type ResourceQuota,
  type Usage,
  usageOf,
} from '../kube/index.ts'

const zero = quantityOf(0)

/** What pods would take of one quota. */
export interface Demand {
  readonly quota: Persisted<ResourceQuota>
  readonly amounts: Usage
}

/** Why pods do not fit now. */
export interface Shortage {
  readonly quota: string
  readonly keys: readonly {
    readonly key: string
    readonly requested: string
    readonly used: string
    readonly limited: string
  }[]
}

// What pods take depends on the quota's spec alone, and long lines ask for it again with every change of its status.
const taken = new WeakMap<readonly Pod[], Map<string, Usage>>()
const specTexts = new WeakMap<Persisted<ResourceQuota>, string>()

/** What the pods would take of each quota of their namespace that counts them. Never change `pods` afterwards. */
export function demandOf(pods: readonly Pod[], quotas: readonly Persisted<ResourceQuota>[]): Demand[] {
  return quotas.flatMap((quota) => {
    const amounts = amountsOf(pods, quota)
    return amounts.size > 0 ? [{ quota, amounts }] : []
  })
}

function amountsOf(pods: readonly Pod[], quota: Persisted<ResourceQuota>): Usage {
  const known = taken.get(pods) ?? new Map<string, Usage>()
  taken.set(pods, known)
  const spec = specTexts.get(quota) ?? JSON.stringify(quota.spec ?? {})
  specTexts.set(quota, spec)
  let amounts = known.get(spec)
  if (!amounts) {
    amounts = sumOf(pods, quota)
    known.set(spec, amounts)
  }
  return amounts
}

function sumOf(pods: readonly Pod[], quota: Persisted<ResourceQuota>): Usage {
  const keys = keysForResource(Object.keys(quota.spec?.hard ?? {}), '/pods')
  const amounts: Usage = new Map()
  for (const pod of pods.map((one) => withRequests(one) as Pod & KubeObject)) {
    if (!isInScope(quota, '/pods', pod)) continue
    // The moment matters only for pods that are being deleted.
    const usage = usageOf('/pods', pod, 0)
    for (const key of keys) {
      const amount = usage.get(key)
      if (amount !== undefined) amounts.set(key, addQuantities(amounts.get(key) ?? zero, amount))
    }
  }
  return amounts
}

/** Amounts set aside, by uid of the quota. */
export type Reserved = Map<string, Usage>

export function reserve(reserved: Reserved, demand: readonly Demand[]): void {
  for (const { quota, amounts } of demand) {
    const kept: Usage = reserved.get(quota.metadata.uid) ?? new Map()
    for (const [key, amount] of amounts) kept.set(key, addQuantities(kept.get(key) ?? zero, amount))
    reserved.set(quota.metadata.uid, kept)
  }
}

/** The first quota in which there is no room for `demand` beside what is used and what is set aside for others. */
export function shortageOf(demand: readonly Demand[], reserved?: Reserved): Shortage | undefined {
  for (const { quota, amounts } of demand) {
    const kept = reserved?.get(quota.metadata.uid)
    const keys = [...amounts].flatMap(([key, amount]) => {
      const limited = parseQuantity(quota.spec?.hard?.[key] ?? '0')
      const used = parseQuantity(quota.status?.used?.[key] ?? '0')
      const all = [used, amount, kept?.get(key) ?? zero].reduce(addQuantities)
      // What asks for nothing is never in the way.
      if (amount.nanos <= 0n || compareQuantities(all, limited) <= 0) return []
      return [{ key, amount, used, limited }]
    })
    if (keys.length > 0) return describe(quota, keys)
  }
  return undefined
}

/** More than a quota could ever give, even if nothing else ran. */
export function neverFits(demand: readonly Demand[]): boolean {
  return demand.some(({ quota, amounts }) =>
    [...amounts].some(
      ([key, amount]) => compareQuantities(amount, parseQuantity(quota.spec?.hard?.[key] ?? '0')) > 0,
    ),
  )
}

function describe(
  quota: Persisted<ResourceQuota>,
  keys: readonly { key: string; amount: Quantity; used: Quantity; limited: Quantity }[],
): Shortage {
  return {
    quota: quota.metadata.name,
    keys: keys
      .map(({ key, amount, used, limited }) => ({
        key,
        requested: formatQuantity(amount),
        used: formatQuantity(used),
        limited: formatQuantity(limited),
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  }
}

/** A shortage in the words in which the API server refuses pods. */
export function shortageText(shortage: Shortage): string {
  const list = (field: 'requested' | 'used' | 'limited'): string =>
    shortage.keys.map((one) => `${one.key}=${one[field]}`).join(',')
  return `exceeded quota: ${shortage.quota}, requested: ${list('requested')}, used: ${list('used')}, limited: ${list('limited')}`
}

/** The pod as the server will charge it: who sets only a limit asks for as much. */
function withRequests(pod: Pod): Pod {
  const complete = <C extends { resources?: { limits?: object; requests?: object } }>(container: C): C => ({
    ...container,
    resources: {
      ...container.resources,
      requests: { ...container.resources?.limits, ...container.resources?.requests },
    },
  })
  const { spec } = pod
  if (!spec) return pod
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(complete),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(complete) }),
    },
  }
}
