import { appendFile, rename, rm, stat } from 'node:fs/promises'
import { hasCode } from '../../../files.ts'

export interface LogFileOptions {
  readonly path: string
  /** A file larger than this is put aside. */
  readonly maxBytes: number
  /** Files put aside that are kept: `path.1` is the newest. */
  readonly maxFiles: number
  onFault(error: unknown): void
}

/** Lines appended to a file that is put aside when it has grown large. */
export interface LogFile {
  append(line: string): void
  /** Writes what is waiting. */
  close(): Promise<void>
}

/** Lines wait this long for others to go with them. */
const gatherMs = 50

export function openLogFile(options: LogFileOptions): LogFile {
  let waiting: string[] = []
  let writing: Promise<void> | undefined
  let size: number | undefined

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const text = `${waiting.join('\n')}\n`
      waiting = []
      try {
        size ??= await sizeOf(options.path)
        if (size > 0 && size + text.length > options.maxBytes) {
          await putAside(options)
          size = 0
        }
        await appendFile(options.path, text, { mode: 0o600 })
        size += Buffer.byteLength(text)
      } catch (error) {
        options.onFault(error)
      }
    }
  }

  return {
    append(line) {
      waiting.push(line)
      writing ??= new Promise<void>((resolve) => {
        setTimeout(resolve, gatherMs).unref()
      })
        .then(flush)
        .finally(() => {
          writing = undefined
        })
    },
    close: flush,
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0
    throw error
  }
}

async function putAside({ path, maxFiles }: LogFileOptions): Promise<void> {
  await rm(`${path}.${maxFiles}`, { force: true })
  for (let number = maxFiles - 1; number >= 1; number--) {
    try {
      await rename(`${path}.${number}`, `${path}.${number + 1}`)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }
  await rename(path, `${path}.1`)
}
