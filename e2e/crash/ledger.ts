/** What one object must look like: acknowledged, or one of the two sides of a write whose answer never came. */
interface Entry {
  /** `undefined`: absent. */
  acknowledged: string | undefined
  /** The write that was on its way when the server died. */
  open: { readonly value: string | undefined } | undefined
}

/** Everything that was acknowledged, and what a watcher saw of it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  /** Versions of acknowledged creates and changes. */
  readonly #acknowledged = new Map<number, string>()
  /** By the watch that showed them. */
  readonly #seen = new Map<string, Map<number, { readonly name: string; readonly isRemoval: boolean }>>()
  readonly #lastSeen = new Map<string, number>()
  #awaited: { readonly count: number; reached(): void } = { count: Infinity, reached: () => undefined }
  readonly faults: string[] = []
  highestVersion = 0
  acknowledgements = 0

  begin(name: string, value: string | undefined): void {
    this.#entry(name).open = { value }
  }

  /** @param version of the object after the write; undefined for deletes, whose answers name none. */
  acknowledge(name: string, value: string | undefined, version: number | undefined): void {
    const entry = this.#entry(name)
    entry.acknowledged = value
    entry.open = undefined
    this.acknowledgements++
    if (this.acknowledgements >= this.#awaited.count) this.#awaited.reached()
    if (version === undefined) return
    const before = this.#acknowledged.get(version)
    if (before !== undefined) this.faults.push(`version ${version} was given twice: ${before}, ${name}`)
    this.#acknowledged.set(version, name)
    this.#note(version)
  }

  /** The server refused: nothing changed. */
  refuse(name: string): void {
    this.#entry(name).open = undefined
  }

  watched(kind: string, name: string, version: number, isRemoval: boolean): void {
    const seen = this.#seenBy(kind)
    const before = seen.get(version)
    if (before) this.faults.push(`the watch showed version ${version} twice: ${before.name}, ${name}`)
    const last = seen.size === 0 ? 0 : (this.#lastSeen.get(kind) ?? 0)
    if (version < last) this.faults.push(`the watch went back from version ${last} to ${version}`)
    this.#lastSeen.set(kind, version)
    seen.set(version, { name, isRemoval })
    this.#note(version)
  }

  /** The version of each object of a kind at a moment, as the watch told it. */
  stateAt(kind: string, moment: number): Map<string, number> {
    const state = new Map<string, number>()
    for (const [version, { name, isRemoval }] of this.#seenBy(kind)) {
      if (version > moment) break
      if (isRemoval) state.delete(name)
      else state.set(name, version)
    }
    return state
  }

  /** Waits until so many writes have been acknowledged. */
  async reaches(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#awaited = { count, reached: resolve }
    })
  }

  /** Versions never go back. */
  holdVersion(listVersion: number): void {
    if (listVersion < this.highestVersion)
      this.faults.push(`the version went back from ${this.highestVersion} to ${listVersion}`)
  }

  /** What a watch has shown is there, or something newer. */
  holdSeen(kind: string, name: string, version: number): void {
    const shown = this.stateAt(kind, Infinity).get(name) ?? 0
    if (version < shown) this.faults.push(`${kind}/${name} is back at ${version}; the watch showed ${shown}`)
  }

  /** Holds what the server has now against what it acknowledged; what was open becomes known. */
  compare(present: ReadonlyMap<string, string>): void {
    for (const [name, entry] of this.#entries) {
      const value = present.get(name)
      const isOld = value === entry.acknowledged
      const isNew = entry.open !== undefined && value === entry.open.value
      if (!isOld && !isNew)
        this.faults.push(
          `${name} is ${value ?? 'absent'} where ${entry.acknowledged ?? 'absent'} was acknowledged`,
        )
      entry.acknowledged = value
      entry.open = undefined
    }
    for (const name of present.keys())
      if (!this.#entries.has(name)) this.faults.push(`${name} came from nowhere`)
  }

  /** Acknowledged versions of a kind up to a version that the watch never showed. */
  missedBy(kind: string, version: number): number[] {
    const seen = this.#seenBy(kind)
    return [...this.#acknowledged]
      .filter(([one, name]) => name.startsWith(`${kind}/`) && one <= version && !seen.has(one))
      .map(([one]) => one)
  }

  /** Acknowledged creates and changes by kind. */
  summary(): string {
    const counts = new Map<string, number>()
    for (const name of this.#acknowledged.values()) {
      const kind = name.slice(0, name.indexOf('/'))
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    return [...counts].map(([kind, count]) => `${kind}: ${count}`).join(', ')
  }

  valueOf(name: string): string | undefined {
    return this.#entries.get(name)?.acknowledged
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name) ?? { acknowledged: undefined, open: undefined }
    this.#entries.set(name, entry)
    return entry
  }

  #seenBy(kind: string): Map<number, { readonly name: string; readonly isRemoval: boolean }> {
    const seen = this.#seen.get(kind) ?? new Map<number, { name: string; isRemoval: boolean }>()
    this.#seen.set(kind, seen)
    return seen
  }

  #note(version: number): void {
    if (version > this.highestVersion) this.highestVersion = version
  }
}
