/** One key's new state on its way to disk, with the old state that history needs. */
export interface DiskChange {
  readonly revision: number
  readonly key: string
  /** Absent: the key is removed. */
  readonly json: string | undefined
  readonly previousRevision: number
  /** Empty when there was no previous value. */
  readonly previousJson: string
}

/** One object at one version. `json` is its whole text. */
export interface DiskRecord {
  readonly key: string
  readonly revision: number
  readonly json: string
}

/** What was on disk: the newest revision ever written, all records in key order, and the last changes in order. */
export interface DiskContents {
  readonly revision: number
  readonly records: Iterable<DiskRecord>
  readonly changes: Iterable<DiskChange>
  /** Changes up to this revision are not on disk any more. */
  readonly forgottenUpTo: number
}

/** Where a store keeps its data. Has two implementations: LMDB, and memory for clusters that need not last. */
export interface Disk {
  load(): DiskContents
  /**
   * Writes a batch as one: all of it or nothing, on disk when it resolves. `forgetUpTo`: older changes may be dropped.
   *
   * @throws {Error} of the file system; nothing of the batch is there then.
   */
  append(batch: readonly DiskChange[], forgetUpTo: number): Promise<void>
  close(): Promise<void>
}
