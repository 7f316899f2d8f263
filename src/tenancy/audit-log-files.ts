import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { hasCode } from '../files.ts'

/** The lines of a log that is put aside when it grows large, as it is written. */
export interface GrowingLog {
  /** Hands out what was written since the last call, through every file that was put aside meanwhile. */
  readNew(take: (line: string) => void): Promise<void>
  /** Goes back by one of the files that were put aside before the first call; false when there is none left. */
  readOlder(take: (line: string) => void): Promise<boolean>
}

const pieceBytes = 1024 * 1024
/** Longer lines carry whole bodies, and are of no organisation's object. */
const longestLine = 4 * 1024 * 1024
/** How often one look begins anew because files were put aside while it read. */
const mostRounds = 5

interface Aside {
  readonly path: string
  readonly id: string
  readonly mtimeMs: number
}

/**
 * Opens a log whose files are put aside as `NAME.1`, `NAME.2`, ... (this cluster, logrotate) or as `NAME-TIME.EXT` (Kubernetes'
 * API server), compressed or not. Files are known by what they are and not by their names, which change.
 */
export function openGrowingLog(path: string): GrowingLog {
  /** How far each file was read. */
  const positions = new Map<string, number>()
  const older = new Set<string>()
  let isFirst = true

  async function readOn(file: string, take: (line: string) => void): Promise<void> {
    const handle = await open(file, 'r')
    try {
      const { size, ...facts } = await handle.stat({ bigint: true })
      const id = idOf(facts)
      const before = positions.get(id) ?? 0
      // Shorter than what was read: emptied in place, and written anew.
      const from = Number(size) < before ? 0 : before
      if (file.endsWith('.gz')) {
        if (from === 0) await readCompressed(handle, take)
        positions.set(id, Number(size))
      } else {
        positions.set(id, await readLines(handle, { from, to: Number(size) }, take))
      }
    } finally {
      await handle.close()
    }
  }

  return {
    async readNew(take) {
      for (let round = 0; round < mostRounds; round += 1) {
        const before = await listAside(path)
        if (isFirst) for (const { id } of before) older.add(id)
        isFirst = false
        for (const { path: file, id } of before) {
          if (!older.has(id)) await readOn(file, take).catch(unlessGone)
        }
        // While it is being put aside there is no file of this name.
        await readOn(path, take).catch((error: unknown) => {
          if (before.length === 0) throw error
          unlessGone(error)
        })
        const after = await listAside(path)
        if (after.map(({ id }) => id).join() === before.map(({ id }) => id).join()) break
      }
    },
    async readOlder(take) {
      const newest = (await listAside(path)).findLast(({ id }) => older.has(id))
      if (newest === undefined) return false
      older.delete(newest.id)
      await readOn(newest.path, take).catch(unlessGone)
      return true
    },
  }
}

/** Files come and go while they are looked at. */
function unlessGone(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error
}

/** The files that were put aside, the oldest first. */
async function listAside(path: string): Promise<readonly Aside[]> {
  const name = basename(path)
  const extension = extname(name)
  const stem = `${name.slice(0, name.length - extension.length)}-`
  const isAside = (other: string): boolean => {
    const plain = other.replace(/\.gz$/, '')
    if (plain.startsWith(`${name}.`)) return /^\d+$/.test(plain.slice(name.length + 1))
    if (!plain.startsWith(stem) || !plain.endsWith(extension)) return false
    // As in audit-2026-11-24T07-01-02.000.log.
    return /^\d{4}-\d\d-\d\dT[\d-]+\.\d+$/.test(plain.slice(stem.length, plain.length - extension.length))
  }
  const found: Aside[] = []
  for (const other of (await readdir(dirname(path))).filter(isAside)) {
    const file = join(dirname(path), other)
    try {
      const facts = await stat(file, { bigint: true })
      found.push({ path: file, id: idOf(facts), mtimeMs: Number(facts.mtimeMs) })
    } catch (error) {
      unlessGone(error)
    }
  }
  return found.sort((a, b) => a.mtimeMs - b.mtimeMs)
}

const idOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

/** Reads whole lines. Returns where the next one begins: what is being written is read again when it is whole. */
async function readLines(
  handle: FileHandle,
  { from, to }: { from: number; to: number },
  take: (line: string) => void,
): Promise<number> {
  const cut = lineCutter(take)
  let at = from
  while (at < to) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(pieceBytes), 0, pieceBytes, at)
    if (bytesRead === 0) break
    at += bytesRead
    cut.push(buffer.subarray(0, bytesRead))
  }
  return at - cut.rest()
}

async function readCompressed(handle: FileHandle, take: (line: string) => void): Promise<void> {
  const cut = lineCutter(take)
  const text = handle.createReadStream({ autoClose: false, start: 0 }).pipe(createGunzip())
  for await (const piece of text) if (Buffer.isBuffer(piece)) cut.push(piece)
}

interface LineCutter {
  push(piece: Buffer): void
  /** Bytes of a line that has not ended yet. */
  rest(): number
}

function lineCutter(take: (line: string) => void): LineCutter {
  let rest = Buffer.alloc(0)
  return {
    push(more) {
      const piece = Buffer.concat([rest, more])
      const end = piece.lastIndexOf(10) + 1
      for (const line of piece.subarray(0, end).toString('utf8').split('\n')) take(line)
      rest = piece.subarray(end)
      if (rest.length > longestLine) rest = Buffer.alloc(0)
    },
    rest: () => rest.length,
  }
}
