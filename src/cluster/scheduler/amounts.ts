import { quantityToMilli, quantityToUnits } from '../../kube/index.ts'

/** Amounts of resources as plain numbers: CPU in thousandths, everything else in whole units. */
export interface Amounts {
  cpu: number
  memory: number
  /** By resource name: ephemeral storage, GPUs and other extended resources. */
  others: Map<string, number>
}

export type ResourceList = Readonly<Record<string, string | undefined>>

const noOthers: Map<string, number> = new Map()

export function noAmounts(): Amounts {
  return { cpu: 0, memory: 0, others: new Map() }
}

/** Reads a resource list of the wire. Lists without extended resources share one empty map: never change it. */
export function amountsOf(list: ResourceList | undefined): Amounts {
  const amounts: Amounts = { cpu: 0, memory: 0, others: noOthers }
  for (const [name, text] of Object.entries(list ?? {})) {
    if (text === undefined) continue
    const amount = amountOf(name, text)
    if (name === 'cpu') amounts.cpu = amount
    else if (name === 'memory') amounts.memory = amount
    else {
      if (amounts.others === noOthers) amounts.others = new Map()
      amounts.others.set(name, amount)
    }
  }
  return amounts
}

// The same few texts ("1", "500m", "2Gi") come by the ten thousand.
const parsed = new Map<string, number>()
const parsedLimit = 2000

function amountOf(name: string, text: string): number {
  const key = name === 'cpu' ? `c${text}` : text
  const known = parsed.get(key)
  if (known !== undefined) return known
  const amount = name === 'cpu' ? quantityToMilli(text) : quantityToUnits(text)
  if (parsed.size >= parsedLimit) parsed.clear()
  parsed.set(key, amount)
  return amount
}

/** Adds in place; `sign` -1 takes away again. */
export function addTo(total: Amounts, amounts: Amounts, sign: 1 | -1 = 1): void {
  total.cpu += sign * amounts.cpu
  total.memory += sign * amounts.memory
  for (const [name, amount] of amounts.others) {
    total.others.set(name, (total.others.get(name) ?? 0) + sign * amount)
  }
}

/** The larger of both, resource by resource. */
export function largest(a: Amounts, b: Amounts): Amounts {
  const others = new Map(a.others)
  for (const [name, amount] of b.others) others.set(name, Math.max(amount, others.get(name) ?? 0))
  return { cpu: Math.max(a.cpu, b.cpu), memory: Math.max(a.memory, b.memory), others }
}

export function sum(a: Amounts, b: Amounts): Amounts {
  const total: Amounts = { cpu: a.cpu, memory: a.memory, others: new Map(a.others) }
  addTo(total, b)
  return total
}
