import { watch } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../../../files.ts'
import type { LogOptions } from '../streams.ts'
import { LogParser, type LogRecord } from './log-records.ts'

const chunkBytes = 64 * 1024
// Changes are told by the kernel; this is for file systems that cannot.
const lookAgainMs = 1000
const newline = Buffer.from('\n')

export interface LogSource {
  /** The newest file; older parts have the same name with a number behind. */
  readonly path: string
  /** Settles when nothing more will be written; absent when that is so already. */
  readonly ended: Promise<unknown> | undefined
}

/** The text of a log as options ask for it. */
export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<Uint8Array> {
  const sinceTime = options.since?.toISOString()
  let toSkip =
    options.tailLines === undefined
      ? 0
      : Math.max(0, (await countLines(source.path, sinceTime)) - options.tailLines)
  let bytesLeft = options.limitBytes ?? Number.POSITIVE_INFINITY
  const isLineOpen = { stdout: false, stderr: false }
  for await (const records of readRecords(source, options)) {
    const pieces: Buffer[] = []
    for (const record of records) {
      if (sinceTime !== undefined && isBefore(record.time, sinceTime)) continue
      if (toSkip > 0) {
        if (!record.isPartial) toSkip -= 1
        continue
      }
      if (options.timestamps === true && !isLineOpen[record.stream])
        pieces.push(Buffer.from(`${record.time} `))
      pieces.push(record.text)
      if (!record.isPartial) pieces.push(newline)
      isLineOpen[record.stream] = record.isPartial
    }
    if (pieces.length === 0) continue
    const text = Buffer.concat(pieces)
    if (text.length >= bytesLeft) {
      yield text.subarray(0, bytesLeft)
      return
    }
    bytesLeft -= text.length
    yield text
  }
}

/** A place in a log: so many bytes into a file that is known by its inode. */
export interface LogPosition {
  readonly ino: number
  readonly size: number
}

/** Where a log ends now. */
export async function endOf(path: string): Promise<LogPosition | undefined> {
  return stat(path).catch(() => undefined)
}

/** Records written after a position, until the log ends. */
export async function* followRecords(
  source: LogSource,
  from: LogPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogRecord[]> {
  yield* readRecords(source, { follow: true, signal, from })
}

async function countLines(path: string, sinceTime: string | undefined): Promise<number> {
  let count = 0
  for await (const records of readRecords({ path, ended: undefined }, {})) {
    for (const record of records) {
      if (!record.isPartial && (sinceTime === undefined || !isBefore(record.time, sinceTime))) count += 1
    }
  }
  return count
}

// Both are UTC with fractions of different length: the seconds compare as texts, the fractions as padded digits.
function isBefore(time: string, limit: string): boolean {
  const pad = (text: string): string => {
    const [seconds = '', fraction = ''] = text.replace('Z', '').split('.')
    return `${seconds}.${fraction.padEnd(9, '0')}`
  }
  return pad(time) < pad(limit)
}

interface ReadOptions {
  readonly follow?: boolean
  readonly signal?: AbortSignal
  /** Begin at the end of this file instead of the oldest. */
  readonly from?: LogPosition | undefined
}

/** All parts of a log from the oldest on; when following, on and on through files that begin meanwhile. */
async function* readRecords(source: LogSource, options: ReadOptions): AsyncGenerator<LogRecord[]> {
  let current =
    options.from === undefined ? await openFirst(source.path) : await openSame(source.path, options.from)
  if (current === undefined) return
  let parser = new LogParser()
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const signal = options.signal
  let isEnded = source.ended === undefined || options.follow !== true
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await current.read(buffer, 0, chunkBytes)
      if (bytesRead > 0) {
        // The parser keeps slices; the buffer is filled again.
        yield parser.push(Buffer.from(buffer.subarray(0, bytesRead)))
        continue
      }
      const next = await openNext(source.path, (await current.stat()).ino)
      if (next !== undefined) {
        await current.close()
        current = next
        parser = new LogParser()
        continue
      }
      if (isEnded) return
      // Once the container has ended one more look finds its last words.
      isEnded = (await waitForChange(source, signal)) === 'ended'
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  } finally {
    await current?.close()
  }
}

/** Resolves when the directory changes, a while has passed, or the log has ended. */
async function waitForChange(
  source: LogSource,
  signal: AbortSignal | undefined,
): Promise<'changed' | 'ended'> {
  let stop = (): void => undefined
  const changed = new Promise<'changed'>((resolve) => {
    const watcher = watch(dirname(source.path), () => resolve('changed'))
    watcher.on('error', () => resolve('changed'))
    const timer = setTimeout(() => resolve('changed'), lookAgainMs)
    const onAbort = (): void => resolve('changed')
    signal?.addEventListener('abort', onAbort, { once: true })
    stop = () => {
      watcher.close()
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  try {
    const ended = source.ended?.then(() => 'ended' as const)
    // A line written between the last read and the start of the watch is found by the timer at the latest.
    return await (ended === undefined ? changed : Promise.race([changed, ended]))
  } finally {
    stop()
  }
}

/** Files of the log, oldest first. */
async function parts(path: string): Promise<string[]> {
  const directory = dirname(path)
  const name = basename(path)
  const entries = await readdir(directory).catch(() => [])
  const numbers = entries
    .filter((entry) => entry.startsWith(`${name}.`) && /^\d+$/.test(entry.slice(name.length + 1)))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .sort((a, b) => a - b)
  return [...numbers.map((number) => join(directory, `${name}.${number}`)), path]
}

async function openFirst(path: string): Promise<FileHandle | undefined> {
  for (const part of await parts(path)) {
    const file = await openIfThere(part)
    if (file !== undefined) return file
  }
  return undefined
}

async function openSame(path: string, from: LogPosition): Promise<FileHandle | undefined> {
  for (const part of await parts(path)) {
    const file = await openIfThere(part)
    if (file === undefined) continue
    if ((await file.stat()).ino === from.ino) {
      // Reading moves the position of the descriptor; this brings it to where "from now on" begins.
      await skip(file, from.size)
      return file
    }
    await file.close()
  }
  return openFirst(path)
}

async function skip(file: FileHandle, bytes: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (let left = bytes; left > 0; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(left, chunkBytes))
    if (bytesRead === 0) return
    left -= bytesRead
  }
}

/** The part after the one with that inode, when the log has moved on to it. */
async function openNext(path: string, inode: number): Promise<FileHandle | undefined> {
  const files = await parts(path)
  // From the newest: while a file is being put aside it has two names.
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const status = await stat(files[index] ?? '').catch(() => undefined)
    if (status?.ino !== inode) continue
    const next = files[index + 1]
    return next === undefined ? undefined : openIfThere(next)
  }
  // The part has been dropped as too old: go on with what is the oldest now.
  return openFirst(path)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
