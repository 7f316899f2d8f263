import { existsSync, fstatSync, mkdirSync, openSync, readSync, closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { UserError } from '../../errors.ts'
import type { Disk, DiskChange, DiskRecord } from './disk.ts'

/** Version of the layout below; a store of another version is refused. */
const formatVersion = 1

/** The process that has a directory open: its id, and its start time because ids are given out again. */
interface Owner {
  readonly pid: number
  readonly started: string
}

/**
 * Opens (or makes) a store in a directory.
 *
 * Three LMDB databases: `records` (key -> `revision\njson`), `changes` (revision -> what the key held before) and
 * `meta` (format version, owner). Every batch is one transaction, synced before it is acknowledged.
 *
 * @throws {UserError} `STORE_IN_USE` when another process has it open, `STORE_DAMAGED` when the files are not whole,
 *   `STORE_UNWRITABLE` when the directory cannot be written.
 */
export function openLmdb(directory: string): Disk {
  makeDirectory(directory)
  const file = join(directory, 'data.mdb')
  checkFile(file)
  const environment = openEnvironment(directory, file)
  const meta = environment.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
  claim(environment, meta, directory)
  const records = environment.openDB<string, string>({ name: 'records', encoding: 'string' })
  const changes = environment.openDB<string, number>({ name: 'changes', encoding: 'string' })
  let oldestOnDisk = firstKey(changes)

  return {
    load() {
      try {
        const revision = Math.max(Number(meta.get('revision') ?? 0), lastKey(changes) ?? 0)
        const first = firstKey(changes)
        return {
          revision,
          records: readRecords(records),
          changes: readChanges(changes, records),
          forgottenUpTo: first === undefined ? revision : first - 1,
        }
      } catch (cause) {
        throw damaged(file, cause)
      }
    },

    async append(batch, forgetUpTo) {
      await environment.transaction(() => {
        for (const change of batch) {
          changes.putSync(
            change.revision,
            `${change.previousRevision}\n${change.key}\n${change.previousJson}`,
          )
          if (change.json === undefined) records.removeSync(change.key)
          else records.putSync(change.key, `${change.revision}\n${change.json}`)
        }
        // The newest change always stays: it holds the revision, which must never go back.
        oldestOnDisk ??= batch[0]?.revision
        for (
          let dropped = 0;
          oldestOnDisk !== undefined && oldestOnDisk <= forgetUpTo && dropped < 4 * batch.length + 16;
          dropped++
        )
          changes.removeSync(oldestOnDisk++)
      })
    },

    async copyTo(target) {
      await environment.backup(target, true)
    },

    async close() {
      await environment.transaction(() => {
        meta.putSync('owner', null)
      })
      await environment.close()
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
    })
  } catch (cause) {
    if (isFileError(cause, ['EACCES', 'EROFS', 'EPERM', 'ENOSPC'])) throw unwritable(directory, cause)
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

/**
 * LMDB maps its file into memory and trusts it: a file cut short would kill the process at the first page that is
 * missing. The two meta pages name the last page in use
 * (struct MDB_meta in https://github.com/LMDB/lmdb/blob/mdb.master/libraries/liblmdb/mdb.c).
 */
function checkFile(file: string): void {
  if (!existsSync(file)) return
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return
    const head = Buffer.alloc(Math.min(size, 32 * 1024))
    readSync(descriptor, head, 0, head.length, 0)
    const magicAt = head.indexOf(Buffer.from([0xde, 0xc0, 0xef, 0xbe]))
    if (magicAt < 0 || magicAt > 64 || head.length < magicAt + 160)
      throw damaged(file, new Error('no LMDB header'))
    const pageSize = head.readUInt32LE(magicAt + 24)
    if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
      throw damaged(file, new Error(`page size ${pageSize}`))
    const lastPage = [0, 1].map((page) => {
      const at = page * pageSize + magicAt + 120
      return at + 8 <= head.length ? Number(head.readBigUInt64LE(at)) : 0
    })
    const needed = (Math.max(...lastPage) + 1) * pageSize
    if (size < needed) throw damaged(file, new Error(`${size} bytes where ${needed} are in use`))
  } finally {
    closeSync(descriptor)
  }
}

/** Takes the directory for this process. LMDB's own write lock makes the look and the claim one step. */
function claim(environment: RootDatabase, meta: Database<unknown, string>, directory: string): void {
  const self: Owner = { pid: process.pid, started: startTime(process.pid) ?? '' }
  let other: Owner | undefined
  let version: unknown
  environment.transactionSync(() => {
    version = meta.get('format') ?? formatVersion
    const owner = meta.get('owner')
    if (isOwner(owner) && owner.pid !== self.pid && startTime(owner.pid) === owner.started) other = owner
    else if (version === formatVersion) {
      meta.putSync('format', formatVersion)
      meta.putSync('owner', self)
    }
  })
  if (other) {
    void environment.close()
    throw new UserError(
      'STORE_IN_USE',
      `the data directory "${directory}" is in use by process ${other.pid}`,
      {
        hint: `stop that cluster first: arena cluster stop --data-dir ${directory.replace(/\/store$/, '')}`,
      },
    )
  }
  if (version !== formatVersion) {
    void environment.close()
    throw new UserError(
      'STORE_DAMAGED',
      `the data in "${directory}" has format ${String(version)}; this program reads format ${formatVersion}`,
      {
        hint: 'use the version of arena that wrote it, or restore a backup',
      },
    )
  }
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch (error) {
    if (isFileError(error, ['ENOENT', 'ESRCH', 'EACCES'])) return undefined
    throw error
  }
}

function* readRecords(records: Database<string, string>): Iterable<DiskRecord> {
  for (const { key, value } of records.getRange()) {
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
  for (const { key: revision, value } of changes.getRange()) {
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

function isOwner(value: unknown): value is Owner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    'started' in value &&
    typeof value.pid === 'number'
  )
}

function isFileError(error: unknown, codes: readonly string[]): boolean {
  return (
    error instanceof Error &&
    codes.some((code) => ('code' in error && error.code === code) || error.message.includes(code))
  )
}

function damaged(file: string, cause: unknown): UserError {
  if (cause instanceof UserError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new UserError('STORE_DAMAGED', `the store "${file}" is damaged: ${why}`, {
    hint: 'restore a backup with: arena cluster restore FILE, or begin anew with: arena cluster reset',
    cause,
  })
}

function unwritable(directory: string, cause: unknown): UserError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new UserError('STORE_UNWRITABLE', `the data directory "${directory}" cannot be written: ${why}`, {
    hint: 'name a directory of your own with --data-dir',
    cause,
  })
}
