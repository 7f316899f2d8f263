import { PassThrough, type Readable, Writable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { Status } from '../../../kube/index.ts'
import type { ExitStatus, TerminalSize } from '../../runtime/index.ts'

/**
 * Kubernetes' channel protocol over WebSocket: the first byte of a message names the stream
 * (https://kep.k8s.io/4006). Version 5 adds a message that closes one stream.
 */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

/** The client's ends of a remote command. */
export interface CommandChannels {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly resize: AsyncIterable<TerminalSize>
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal
  /** Tells the client how the command ended, and closes. */
  end(exit: ExitStatus): Promise<void>
}

/** How much may wait to be sent before writers are held back. */
const highWaterBytes = 1024 * 1024

/** Takes over a WebSocket that has agreed on one of {@link channelProtocols}. */
export function openChannels(socket: WebSocket): CommandChannels {
  const gone = new AbortController()
  const stdin = new PassThrough()
  const sizes = new SizeQueue()
  socket.on('message', (data: RawData) => {
    const message = bytesOf(data)
    const payload = message.subarray(1)
    if (message[0] === channel.stdin) {
      // A command that does not read must not make us hold what the client sends.
      if (payload.length > 0 && !stdin.write(payload)) {
        socket.pause()
        stdin.once('drain', () => socket.resume())
      }
    } else if (message[0] === channel.resize) sizes.add(payload)
    else if (message[0] === channel.close && payload[0] === channel.stdin) stdin.end()
  })
  socket.on('close', () => {
    stdin.end()
    sizes.end()
    gone.abort()
  })
  // What breaks a connection ends it; `close` follows.
  socket.on('error', () => undefined)
  return {
    stdin,
    stdout: sender(socket, channel.stdout),
    stderr: sender(socket, channel.stderr),
    resize: sizes,
    signal: gone.signal,
    async end(exit) {
      await new Promise<void>((resolve) => {
        socket.send(framed(channel.error, Buffer.from(JSON.stringify(statusOf(exit)))), () => resolve())
      })
      socket.close(1000)
    },
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

function framed(id: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(id), payload])
}

function sender(socket: WebSocket, id: number): Writable {
  return new Writable({
    write(piece: Buffer, _encoding, done) {
      if (socket.readyState !== socket.OPEN) {
        done(new Error('the client went away'))
        return
      }
      const isFull = socket.bufferedAmount > highWaterBytes
      socket.send(framed(id, piece), isFull ? (error) => done(error ?? null) : undefined)
      if (!isFull) done()
    },
  })
}

/** The status that ends a remote command, as kubectl reads it. */
function statusOf(exit: ExitStatus): Partial<Status> {
  const base = { metadata: {} } as const
  if (exit.exitCode === 0 && exit.message === undefined) return { ...base, status: 'Success' }
  if (exit.message !== undefined)
    return { ...base, status: 'Failure', reason: 'InternalError', message: exit.message, code: 500 }
  return {
    ...base,
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exit.exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exit.exitCode) }] },
  }
}

/** Terminal sizes as they come; only the newest counts. */
class SizeQueue implements AsyncIterable<TerminalSize> {
  #latest: TerminalSize | undefined
  #wake: (() => void) | undefined
  #ended = false

  add(payload: Buffer): void {
    const size: unknown = parsed(payload)
    if (typeof size !== 'object' || size === null || !('Width' in size) || !('Height' in size)) return
    const { Width: columns, Height: rows } = size
    if (typeof columns !== 'number' || typeof rows !== 'number') return
    this.#latest = { columns, rows }
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize> {
    for (;;) {
      if (this.#latest) {
        const size = this.#latest
        this.#latest = undefined
        yield size
      } else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    // A size that cannot be read changes nothing.
    return undefined
  }
}
