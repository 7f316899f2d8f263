import type { Reader } from '../registry/index.ts'
import type { Usage } from '../../kube/index.ts'

/** An object that a quota has been charged for though nobody can read it yet. */
export interface PendingCharge {
  readonly namespace: string
  readonly quota: string
  readonly resource: string
  readonly name: string
  readonly usage: Usage
  /** The request that will store the object. */
  readonly owner: object
}

// An object on its way to disk is readable long before; one that never came is forgotten then.
const lifetimeMs = 5000

type Dated = PendingCharge & { readonly expires: number }

/**
 * Charges whose objects are on their way into the store. Whoever counts what a namespace uses must add these, or two
 * creates at once could both find room for one.
 */
export class PendingCharges {
  readonly #reader: Reader
  readonly #now: () => number
  readonly #byNamespace = new Map<string, Dated[]>()

  constructor(reader: Reader, now: () => number) {
    this.#reader = reader
    this.#now = now
  }

  add(charge: PendingCharge): void {
    const others = this.#current(charge.namespace).filter(
      (one) => one.owner !== charge.owner || one.quota !== charge.quota,
    )
    this.#byNamespace.set(charge.namespace, [...others, { ...charge, expires: this.#now() + lifetimeMs }])
  }

  /** The object is known to exist, to be on its way out, or never to come: it is counted as it is found. */
  settle(namespace: string, resource: string, name: string): void {
    if (!this.#byNamespace.has(namespace)) return
    this.#keep(
      namespace,
      this.#current(namespace).filter((one) => one.resource !== resource || one.name !== name),
    )
  }

  /** Charges to one quota whose objects cannot be read yet. */
  of(namespace: string, quota: string): readonly PendingCharge[] {
    const charges = this.#current(namespace)
    this.#keep(namespace, charges)
    return charges.filter((one) => one.quota === quota)
  }

  #current(namespace: string): Dated[] {
    const charges = this.#byNamespace.get(namespace) ?? []
    const now = this.#now()
    return charges.filter(
      (one) => one.expires > now && this.#reader.get(one.resource, namespace, one.name) === undefined,
    )
  }

  #keep(namespace: string, charges: Dated[]): void {
    if (charges.length === 0) this.#byNamespace.delete(namespace)
    else this.#byNamespace.set(namespace, charges)
  }
}
