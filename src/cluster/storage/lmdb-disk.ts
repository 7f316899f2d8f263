import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RangeOptions, type RootDatabase } from 'lmdb'
import { UserError } from '../../errors.ts'
import type { Disk, DiskChange, DiskRecord } from './disk.ts'
import { checkLmdbFile } from './lmdb-check.ts'
import {
  inUse,
  isOtherAlive,
  isOwner,
  type Owner,
  refuseIfInUse,
  removeOwner,
  thisProcess,
  writeOwner,
} from './owner.ts'
import { seal, unseal } from './seal.ts'

/** Version of the layout below; a store of another version is refused. */
export const formatVersion = 2

/**
 * Opens (or makes) a store in a directory.
 *
 * Three LMDB databases: `records` (key -> `revision\njson`), `changes` (revision -> what the key held before), both with
 * checksums, and `meta` (format version, owner). Every batch is one transaction, synced before it is acknowledged.
 *
 * @throws {UserError} `STORE_IN_USE` when another process has it open, `STORE_DAMAGED` when the files are not whole,
 *   `STORE_UNWRITABLE` when the directory cannot be written.
 */
export function openLmdb(directory: string): Disk {
  makeDirectory(directory)
  const file = join(directory, 'data.mdb')
  refuseIfInUse(directory)
  checkFile(directory, file)
  const environment = openEnvironment(directory, file)
  const meta = environment.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
  try {
    claim(environment, meta, directory)
  } catch (error) {
    void environment.close()
    throw isFileError(error, unwritableCodes) ? unwritable(directory, error) : error
  }
  const records = environment.openDB<string, string>({ name: 'records', encoding: 'string' })
  const changes = environment.openDB<string, number>({ name: 'changes', encoding: 'string' })
  let oldestOnDisk = firstKey(changes)

  /** Nobody will close a store that could not be read. */
  function* orGiveUp<T>(items: Iterable<T>): Iterable<T> {
    try {
      yield* items
    } catch (cause) {
      void environment.close()
      throw damaged(file, cause)
    }
  }

  return {
    load() {
      try {
        const revision = Math.max(Number(meta.get('revision') ?? 0), lastKey(changes) ?? 0)
        const first = firstKey(changes)
        return {
          revision,
          records: orGiveUp(readRecords(records)),
          changes: orGiveUp(readChanges(changes, records)),
          forgottenUpTo: first === undefined ? revision : first - 1,
        }
      } catch (cause) {
        throw damaged(file, cause)
      }
    },

    async append(batch, forgetUpTo) {
      const encoded = batch.map(encode)
      let oldest = oldestOnDisk
      try {
        await environment.transaction(() => {
          for (const { key, revision, record, change } of encoded) {
            changes.putSync(revision, change)
            if (record === undefined) records.removeSync(key)
            else records.putSync(key, record)
          }
          // The newest change always stays: it holds the revision, which must never go back.
          oldest ??= batch[0]?.revision
          for (
            let dropped = 0;
            oldest !== undefined && oldest <= forgetUpTo && dropped < 4 * batch.length + 16;
            dropped++
          )
            changes.removeSync(oldest++)
        })
      } catch (cause) {
        throw await writeFailure(directory, cause)
      }
      oldestOnDisk = oldest
    },

    async close() {
      try {
        environment.transactionSync(() => {
          meta.putSync('owner', null)
        })
        removeOwner(directory)
      } finally {
        await environment.close()
      }
    },
  }
}

function openEnvironment(directory: string, file: string): RootDatabase {
  try {
    return open({
      path: directory,
      noSubdir: false,
      maxDbs: 4,
      overlappingSync: false,
      // A large map is only address space; it makes resizing, which stops all readers, rare.
      mapSize: 4 * 1024 ** 3,
      cache: false,
      // A batch of the library's own would be a promise that nobody waits for, and whose failure nobody could catch.
      eventTurnBatching: false,
    })
  } catch (cause) {
    if (isFileError(cause, unwritableCodes)) throw unwritable(directory, cause)
    throw damaged(file, cause)
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unwritable(directory, cause)
  }
}

function checkFile(directory: string, file: string): void {
  if (!existsSync(file)) return
  try {
    checkLmdbFile(file)
  } catch (cause) {
    // Two that start at once: the other one may be writing by now.
    refuseIfInUse(directory)
    if (isFileError(cause, unwritableCodes)) throw unwritable(directory, cause)
    throw damaged(file, cause)
  }
}

/** Takes the directory for this process. LMDB's own write lock makes the look and the claim one step. */
function claim(environment: RootDatabase, meta: Database<unknown, string>, directory: string): void {
  const self = thisProcess()
  let other: Owner | undefined
  let version: unknown
  environment.transactionSync(() => {
    version = meta.get('format') ?? formatVersion
    const owner = meta.get('owner')
    if (isOwner(owner) && isOtherAlive(owner)) other = owner
    else if (version === formatVersion) {
      meta.putSync('format', formatVersion)
      meta.putSync('owner', self)
    }
  })
  if (other) throw inUse(directory, other)
  if (version !== formatVersion) throw otherFormat(directory, version)
  writeOwner(directory)
}

interface Encoded {
  readonly revision: number
  readonly key: string
  readonly record: string | undefined
  readonly change: string
}

/** Bytes that LMDB takes as a key, with room for how the library spells texts. */
const longestKey = 1900

/** Everything that may go wrong with a change does so here, before the transaction: what it has written would stay. */
function encode(change: DiskChange): Encoded {
  const { key, revision, json } = change
  if (key.length * 3 > longestKey && Buffer.byteLength(key) > longestKey)
    throw new Error(`the key "${key.slice(0, 80)}..." is too long`)
  return {
    key,
    revision,
    record: json === undefined ? undefined : seal(key, `${revision}\n${json}`),
    change: seal(String(revision), `${change.previousRevision}\n${key}\n${change.previousJson}`),
  }
}

/** What LMDB tells of a failed write in words of its own; a full disk looks like any other failure to it. */
async function writeFailure(directory: string, cause: unknown): Promise<Error> {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const deeper = 'commitError' in error ? error.commitError : undefined
  const native: unknown = deeper instanceof Promise ? await deeper.catch((reason: unknown) => reason) : error
  const why = native instanceof Error ? native.message : error.message
  const { bavail, bsize } = statfsSync(directory)
  return new Error(bavail * bsize < 1024 * 1024 ? `no space left on the disk of "${directory}"` : why, {
    cause,
  })
}

export function* readRecords(
  records: Database<string, string>,
  options: RangeOptions = {},
): Iterable<DiskRecord> {
  for (const { key, value: sealed } of records.getRange(options)) {
    const value = unseal(String(key), sealed)
    const split = value.indexOf('\n')
    const revision = Number(value.slice(0, split))
    const json = value.slice(split + 1)
    if (!Number.isSafeInteger(revision) || !json.startsWith('{') || !json.endsWith('}'))
      throw new Error(`record "${String(key)}" is not readable`)
    yield { key: String(key), revision, json }
  }
}

function* readChanges(
  changes: Database<string, number>,
  records: Database<string, string>,
): Iterable<DiskChange> {
  for (const { key: revision, value: sealed } of changes.getRange()) {
    const value = unseal(String(revision), sealed)
    const first = value.indexOf('\n')
    const second = value.indexOf('\n', first + 1)
    const key = value.slice(first + 1, second)
    yield {
      revision,
      key,
      json: records.doesExist(key) ? '' : undefined,
      previousRevision: Number(value.slice(0, first)),
      previousJson: value.slice(second + 1),
    }
  }
}

function firstKey(database: Database<string, number>): number | undefined {
  for (const key of database.getKeys({ limit: 1 })) return key
  return undefined
}

function lastKey(database: Database<string, number>): number | undefined {
  for (const key of database.getKeys({ limit: 1, reverse: true })) return key
  return undefined
}

const unwritableCodes = [
  'EACCES',
  'EROFS',
  'EPERM',
  'ENOSPC',
  'Permission denied',
  'Read-only file system',
  'No space left',
]

function isFileError(error: unknown, codes: readonly string[]): boolean {
  return (
    error instanceof Error &&
    codes.some((code) => ('code' in error && error.code === code) || error.message.includes(code))
  )
}

export function damaged(file: string, cause: unknown): UserError {
  if (cause instanceof UserError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new UserError('STORE_DAMAGED', `the store "${file}" is damaged: ${why}`, {
    hint: 'restore a backup with: arena cluster restore FILE, or begin anew with: arena cluster reset',
    cause,
  })
}

/** Nothing is wrong with it: no word of beginning anew. */
export function otherFormat(directory: string, version: unknown): UserError {
  return new UserError(
    'STORE_DAMAGED',
    `the data in "${directory}" has format ${String(version)}; this program reads format ${formatVersion}`,
    { hint: 'use the version of arena that wrote it, or restore a backup' },
  )
}

/** Is it the file system that lets nothing be written? */
export function isUnwritable(error: unknown): boolean {
  return isFileError(error, unwritableCodes)
}

/** What is told to the person who starts the cluster. */
export function unwritable(directory: string, cause: unknown): UserError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new UserError('STORE_UNWRITABLE', `the data directory "${directory}" cannot be written: ${why}`, {
    hint: 'name a directory of your own with --data-dir',
    cause,
  })
}
