import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  needOf,
  parseQuantity,
  type Persisted,
  type Pod,
  type Quantity,
  quantityOf,
  type ResourceQuota,
  type Usage,
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
    const wanted = pods.map((pod) => ({ pod, count: 1 }))
    // The moment matters only for pods that are being deleted.
    amounts = needOf(wanted, quota, 0)
    known.set(spec, amounts)
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
