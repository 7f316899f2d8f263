import type { OwnerReference, ResourceType } from '../../kube/index.ts'

/** Where an object is, and which it is. */
export interface Item {
  readonly type: ResourceType
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

/** What garbage collection wants to know of an object. */
export interface ObservedItem extends Item {
  readonly owners: readonly OwnerReference[]
  readonly isDeleting: boolean
  /** Waits for its dependents before it goes. */
  readonly isForeground: boolean
  /** Its dependents are to be set free before it goes. */
  readonly isOrphaning: boolean
}

/** What is to be looked at after a change. */
export interface GraphEffects {
  readonly examine: readonly Item[]
  readonly orphan: readonly Item[]
}

const nothing: GraphEffects = { examine: [], orphan: [] }

/**
 * Who depends on whom, by uid. Holds only objects with owners, and objects on their way out that wait for others;
 * everything else can be looked up by name when it is needed.
 */
export class GarbageGraph {
  readonly #items = new Map<string, ObservedItem>()
  readonly #dependents = new Map<string, Set<string>>()

  get(uid: string): ObservedItem | undefined {
    return this.#items.get(uid)
  }

  dependentsOf(uid: string): ObservedItem[] {
    const found: ObservedItem[] = []
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const item = this.#items.get(dependent)
      if (item !== undefined) found.push(item)
    }
    return found
  }

  hasDependents(uid: string): boolean {
    return (this.#dependents.get(uid)?.size ?? 0) > 0
  }

  observe(item: ObservedItem): GraphEffects {
    const before = this.#items.get(item.uid)
    const isWaiting = item.isForeground || item.isOrphaning
    if (item.owners.length > 0 || isWaiting) this.#items.set(item.uid, item)
    else this.#items.delete(item.uid)
    if (before === undefined && item.owners.length === 0 && !isWaiting) return nothing

    const examine: Item[] = []
    const orphan: Item[] = []
    const now = new Map(item.owners.map((owner) => [owner.uid, owner]))
    for (const owner of before?.owners ?? []) {
      const kept = now.get(owner.uid)
      if (kept === undefined) this.#unlink(owner.uid, item.uid)
      // An owner that waits for this one may go on when it is let go.
      const letsGo =
        kept === undefined || (owner.blockOwnerDeletion === true && kept.blockOwnerDeletion !== true)
      const waiting = letsGo ? this.#items.get(owner.uid) : undefined
      if (waiting?.isForeground) examine.push(waiting)
    }
    for (const owner of item.owners) this.#link(owner.uid, item.uid)
    const hasOtherOwners =
      before === undefined ? item.owners.length > 0 : !isSameOwners(before.owners, item.owners)
    if (hasOtherOwners) examine.push(item)
    if (item.isOrphaning && item.isDeleting && !(before?.isOrphaning && before.isDeleting)) orphan.push(item)
    if (item.isForeground && item.isDeleting && !(before?.isForeground && before.isDeleting)) {
      examine.push(...this.dependentsOf(item.uid), item)
    }
    return { examine, orphan }
  }

  /** The object is gone: its dependents may have to follow, and owners that waited for it may go on. */
  gone(uid: string, owners: readonly OwnerReference[]): GraphEffects {
    const before = this.#items.get(uid)
    this.#items.delete(uid)
    const examine: Item[] = [...this.dependentsOf(uid)]
    for (const owner of [...owners, ...(before?.owners ?? [])]) {
      this.#unlink(owner.uid, uid)
      const waiting = this.#items.get(owner.uid)
      if (waiting?.isForeground) examine.push(waiting)
    }
    return { examine, orphan: [] }
  }

  #link(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner) ?? new Set()
    this.#dependents.set(owner, dependents.add(dependent))
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    dependents?.delete(dependent)
    if (dependents?.size === 0) this.#dependents.delete(owner)
  }
}

function isSameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  return (
    a.length === b.length &&
    a.every((owner, index) => {
      const other = b[index]
      return other?.uid === owner.uid && other.name === owner.name && other.kind === owner.kind
    })
  )
}

/** How an owner stands at the moment of the question. */
export type OwnerState = 'solid' | 'absent' | 'foreground' | 'unknown'

export type Verdict =
  | { readonly action: 'keep' }
  /** Somebody still owns it: forget those who do not. */
  | { readonly action: 'drop-owners'; readonly uids: readonly string[] }
  /** An owner waits for it, and it has dependents of its own: it goes after them. */
  | { readonly action: 'delete-foreground' }
  | { readonly action: 'delete' }

/** What to do with an object, given how each of its owners stands. */
export function judge(
  owners: readonly OwnerReference[],
  stateOf: (owner: OwnerReference) => OwnerState,
  hasDependents: boolean,
): Verdict {
  if (owners.length === 0) return { action: 'keep' }
  const leaving: string[] = []
  let isWaitedFor = false
  let isHeld = false
  for (const owner of owners) {
    const state = stateOf(owner)
    // Nothing is deleted for an owner of a kind nobody knows.
    if (state === 'unknown') return { action: 'keep' }
    const waits = state === 'foreground' && owner.blockOwnerDeletion === true
    if (state === 'absent' || waits) leaving.push(owner.uid)
    else isHeld = true
    if (waits) isWaitedFor = true
  }
  if (isHeld) return leaving.length === 0 ? { action: 'keep' } : { action: 'drop-owners', uids: leaving }
  return isWaitedFor && hasDependents ? { action: 'delete-foreground' } : { action: 'delete' }
}
