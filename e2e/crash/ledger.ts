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
  readonly #acknowledged = new Set<number>()
  readonly #seen = new Map<number, string>()
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
    if (version === undefined) return
    if (this.#acknowledged.has(version))
      this.faults.push(`version ${version} was given twice, the second time for ${name}`)
    this.#acknowledged.add(version)
    this.#note(version)
  }

  /** The server refused: nothing changed. */
  refuse(name: string): void {
    this.#entry(name).open = undefined
  }

  watched(name: string, version: number, isRemoval: boolean): void {
    const before = this.#seen.get(version)
    if (before !== undefined)
      this.faults.push(`the watch showed version ${version} twice: ${before}, ${name}`)
    const last = Math.max(0, ...[...this.#seen.keys()].slice(-1))
    if (version < last) this.faults.push(`the watch went back from version ${last} to ${version}`)
    this.#seen.set(version, `${name}${isRemoval ? ' (removed)' : ''}`)
    this.#note(version)
  }

  /** Holds what the server has now against what it acknowledged; what was open becomes known. */
  compare(present: ReadonlyMap<string, string>, listVersion: number): void {
    if (listVersion < this.highestVersion)
      this.faults.push(`the version went back from ${this.highestVersion} to ${listVersion}`)
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

  /** Acknowledged versions up to a version that the watch never showed. */
  missedBy(version: number): number[] {
    return [...this.#acknowledged].filter((one) => one <= version && !this.#seen.has(one))
  }

  valueOf(name: string): string | undefined {
    return this.#entries.get(name)?.acknowledged
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name) ?? { acknowledged: undefined, open: undefined }
    this.#entries.set(name, entry)
    return entry
  }

  #note(version: number): void {
    if (version > this.highestVersion) this.highestVersion = version
  }
}
