import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { UserError } from '../errors.ts'
import { writePrivateFile } from '../files.ts'
import { findRunning } from './process-state.ts'
import {
  type DiskRecord,
  isInUse,
  isUnwritable,
  unwritable,
  readSnapshot,
  type Snapshot,
  writeSnapshot,
} from './storage/index.ts'

/** Version of the format: gzip of lines of JSON, a header, one record each, and an end with a count and a hash. */
const backupVersion = 1
/**
 * Clients may have seen versions given out after the backup. Going on far above them makes sure that none of those is
 * given out again for something else: such a client hears that its version is too old, and lists anew.
 */
const revisionLeap = 1_000_000

/** What a restore writes before it counts, with the number of its process. */
const unfinishedPrefix = 'restoring-'

interface Header {
  readonly arenaBackup: number
  readonly made: string
  readonly revision: number
  /** Keys and certificates by file name: with them, kubeconfigs and tokens stay good. */
  readonly pki: Readonly<Record<string, string>>
}

/** What a backup holds, in numbers. */
export interface BackupSummary {
  readonly objects: number
  readonly revision: number
  readonly made: string
}

/**
 * Writes all objects, keys and certificates of a cluster to a file that only its owner may read, as they are at one
 * moment. The cluster may run meanwhile. The file appears when it is whole.
 *
 * @throws {UserError} `NOT_FOUND` when the directory holds no cluster, `STORE_DAMAGED`, `FILE_UNREADABLE` when the file
 *   cannot be written.
 */
export async function backupCluster(dataDir: string, file: string): Promise<BackupSummary> {
  // Objects of one cluster with the keys of another would be no backup of either.
  if (!isInUse(join(dataDir, 'store'))) await finishRestore(dataDir)
  const snapshot = readSnapshot(join(dataDir, 'store'))
  const made = new Date().toISOString()
  const unfinished = `${file}.${process.pid}.tmp`
  const counted = { objects: 0 }
  try {
    const header = {
      arenaBackup: backupVersion,
      made,
      revision: snapshot.revision,
      pki: await readPki(dataDir),
    }
    await pipeline(
      Readable.from(lines(header, snapshot, counted)),
      createGzip(),
      createWriteStream(unfinished, { mode: 0o600, flags: 'wx' }),
    )
    await syncToDisk(unfinished)
    await rename(unfinished, file)
  } catch (cause) {
    await rm(unfinished, { force: true })
    if (cause instanceof UserError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserError('FILE_UNREADABLE', `the backup "${file}" could not be written: ${why}`, {
      hint: 'name another file; what was at that path is as it was',
      cause,
    })
  } finally {
    await snapshot.close()
  }
  return { objects: counted.objects, revision: snapshot.revision, made }
}

/** Does a directory hold a cluster's objects? */
export function holdsCluster(dataDir: string): boolean {
  return existsSync(join(dataDir, 'store')) || existsSync(join(dataDir, 'restored'))
}

/**
 * Puts a backup in the place of a cluster's objects, keys and certificates; whole or not at all, even if the process is
 * killed on the way. Other files of the directory (volumes, logs) stay.
 *
 * @throws {UserError} `STORE_IN_USE` while a cluster runs there, `STORE_DAMAGED` when the backup is not whole,
 *   `FILE_UNREADABLE`, `STORE_UNWRITABLE`.
 */
export async function restoreCluster(dataDir: string, file: string): Promise<BackupSummary> {
  await refuseIfRunning(dataDir)
  await orUnwritable(dataDir, () => clearUp(dataDir))
  const { header, records } = await readBackup(file)
  const unfinished = join(dataDir, `${unfinishedPrefix}${process.pid}`)
  await orUnwritable(dataDir, async () => {
    try {
      await rm(unfinished, { recursive: true, force: true })
      await mkdir(dataDir, { recursive: true, mode: 0o700 })
      // One by one: making several says of a disk that is read-only that there is none.
      await mkdir(unfinished, { mode: 0o700 })
      await writeSnapshot(join(unfinished, 'store'), header.revision + revisionLeap, records)
      for (const [name, text] of Object.entries(header.pki))
        await writePrivateFile(join(unfinished, 'pki', name), text)
      // Reading and writing took a while.
      await refuseIfRunning(dataDir)
      // From here on the restore counts: what is left to do is done by whoever looks next.
      await rename(unfinished, join(dataDir, 'restored'))
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
    await finishRestore(dataDir)
  })
  return { objects: records.length, revision: header.revision, made: header.made }
}

async function orUnwritable(dataDir: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw !(error instanceof UserError) && isUnwritable(error) ? unwritable(dataDir, error) : error
  }
}

async function refuseIfRunning(dataDir: string): Promise<void> {
  if ((await findRunning(dataDir)) || isInUse(join(dataDir, 'store')))
    throw new UserError('STORE_IN_USE', `a cluster runs in "${dataDir}"`, {
      hint: `stop it first: arena cluster stop --data-dir ${dataDir}`,
    })
}

/** Deals with what restores have left that were killed: those that counted are finished, the others removed. */
async function clearUp(dataDir: string): Promise<void> {
  await finishRestore(dataDir)
  const names = existsSync(dataDir) ? await readdir(dataDir) : []
  for (const name of names)
    if (name.startsWith(unfinishedPrefix) && !existsSync(`/proc/${name.slice(unfinishedPrefix.length)}`))
      await rm(join(dataDir, name), { recursive: true, force: true })
}

/** Moves what a restore has prepared into place; does nothing when there is nothing. */
export async function finishRestore(dataDir: string): Promise<void> {
  const restored = join(dataDir, 'restored')
  if (!existsSync(restored)) return
  await orUnwritable(dataDir, async () => {
    for (const part of ['store', 'pki']) {
      if (!existsSync(join(restored, part))) continue
      await rm(join(dataDir, part), { recursive: true, force: true })
      await rename(join(restored, part), join(dataDir, part))
    }
    await rm(restored, { recursive: true, force: true })
  })
}

async function readPki(dataDir: string): Promise<Record<string, string>> {
  const directory = join(dataDir, 'pki')
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.'))
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? '']))
}

async function* lines(
  header: Header,
  snapshot: Snapshot,
  counted: { objects: number },
): AsyncGenerator<string> {
  const hash = createHash('sha256')
  yield hashed(hash, header)
  for (const { key, revision, json } of snapshot.records) {
    counted.objects++
    yield hashed(hash, { key, revision, json })
  }
  yield `${JSON.stringify({ objects: counted.objects, sha256: hash.digest('hex') })}\n`
}

function hashed(hash: Hash, value: object): string {
  const line = `${JSON.stringify(value)}\n`
  hash.update(line)
  return line
}

async function readBackup(file: string): Promise<{ header: Header; records: DiskRecord[] }> {
  if (!existsSync(file))
    throw new UserError('FILE_UNREADABLE', `there is no backup at "${file}"`, { hint: 'check the path' })
  const hash = createHash('sha256')
  const records: DiskRecord[] = []
  let header: Header | undefined
  let isWhole = false
  try {
    const unzipped = createGunzip()
    const reading = pipeline(createReadStream(file), unzipped)
    const read = createInterface({ input: unzipped, crlfDelay: Infinity })
    // A fault of the file ends the lines too; it is thrown below.
    reading.catch(() => undefined)
    for await (const line of read) {
      const value: unknown = JSON.parse(line)
      if (isEnd(value)) isWhole = value.sha256 === hash.digest('hex') && value.objects === records.length
      else {
        hash.update(`${line}\n`)
        if (isHeader(value)) {
          if (value.arenaBackup !== backupVersion)
            throw new Error(
              `it has format ${value.arenaBackup}, and this program reads format ${backupVersion}`,
            )
          header = value
        } else if (isRecord(value)) records.push(value)
        else throw new Error('it holds something unknown')
      }
    }
    await reading
    if (!header || !isWhole) throw new Error('its end is missing or does not match')
    return { header, records }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserError('STORE_DAMAGED', `"${file}" is no whole backup: ${why}`, {
      hint: 'use another backup; the cluster is as it was',
      cause,
    })
  }
}

function isEnd(value: unknown): value is { sha256: string; objects: number } {
  return typeof value === 'object' && value !== null && 'sha256' in value && 'objects' in value
}

function isHeader(value: unknown): value is Header {
  return typeof value === 'object' && value !== null && 'arenaBackup' in value && 'pki' in value
}

function isRecord(value: unknown): value is DiskRecord {
  return (
    typeof value === 'object' && value !== null && 'key' in value && 'json' in value && 'revision' in value
  )
}

async function syncToDisk(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
