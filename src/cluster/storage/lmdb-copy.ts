import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { open } from 'lmdb'
import { UserError } from '../../errors.ts'
import { hasCode } from '../../files.ts'
import type { DiskRecord } from './disk.ts'
import { checkLmdbFile } from './lmdb-check.ts'
import { damaged, formatVersion, otherFormat, readRecords } from './lmdb-disk.ts'
import { isInUse } from './owner.ts'
import { seal } from './seal.ts'

/** All that a store held at one moment. */
export interface Snapshot {
  readonly revision: number
  readonly records: Iterable<DiskRecord>
  close(): Promise<void>
}

/**
 * Reads a store as it is at this moment, while its owner goes on writing: LMDB keeps for a reader what it saw first.
 *
 * @throws {UserError} `NOT_FOUND`, `STORE_DAMAGED`.
 */
export function readSnapshot(directory: string): Snapshot {
  const file = join(directory, 'data.mdb')
  refuseIfUnreadable(directory)
  if (!existsSync(file))
    throw new UserError('NOT_FOUND', `"${directory}" holds no store`, {
      hint: 'name the directory of the cluster with --data-dir DIR',
    })
  try {
    // A file that is being written cannot be walked; whoever writes it has walked it.
    if (!isInUse(directory)) checkLmdbFile(file)
    const environment = open({ path: directory, noSubdir: false, maxDbs: 4, readOnly: true, cache: false })
    const meta = environment.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
    const records = environment.openDB<string, string>({ name: 'records', encoding: 'string' })
    const changes = environment.openDB<string, number>({ name: 'changes', encoding: 'string' })
    const transaction = environment.useReadTransaction()
    const format = meta.get('format', { transaction })
    if (format !== formatVersion) throw otherFormat(directory, format)
    const newest = [...changes.getKeys({ transaction, reverse: true, limit: 1 })][0] ?? 0
    return {
      revision: Math.max(Number(meta.get('revision', { transaction }) ?? 0), newest),
      records: readRecords(records, { transaction }),
      async close() {
        transaction.done()
        await environment.close()
      },
    }
  } catch (cause) {
    throw damaged(file, cause)
  }
}

/** What may not be looked into only seems to hold nothing. */
function refuseIfUnreadable(directory: string): void {
  try {
    statSync(join(directory, 'data.mdb'))
  } catch (cause) {
    if (!hasCode(cause, 'EACCES', 'EPERM')) return
    throw new UserError('FILE_UNREADABLE', `the data directory "${dirname(directory)}" cannot be read`, {
      hint: 'run as the user who started the cluster',
      cause,
    })
  }
}

/** Makes a store of these records in a new directory; on disk when it returns. */
export async function writeSnapshot(
  directory: string,
  revision: number,
  records: readonly DiskRecord[],
): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const environment = open({
    path: directory,
    noSubdir: false,
    maxDbs: 4,
    overlappingSync: false,
    eventTurnBatching: false,
    cache: false,
  })
  const meta = environment.openDB<unknown, string>({ name: 'meta', encoding: 'json' })
  const database = environment.openDB<string, string>({ name: 'records', encoding: 'string' })
  environment.transactionSync(() => {
    meta.putSync('format', formatVersion)
    meta.putSync('revision', revision)
    for (const record of records)
      database.putSync(record.key, seal(record.key, `${record.revision}\n${record.json}`))
  })
  await environment.flushed
  await environment.close()
}
