import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { HeaderReader, HeaderWriter } from './headers.ts'

/** A stream that the client opened. */
export interface SpdyStream extends Duplex {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

const type = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const

const finFlag = 1
const cancelled = 5
/** Clients send as much as they read at a time: some ten kilobytes. */
const maxFrameBytes = 4 * 1024 * 1024
/** Streams open at a time; each forwarded connection takes two. */
const maxStreams = 2000

/**
 * The server's side of SPDY/3.1 as Kubernetes' clients speak it: they open streams, nobody pushes, and neither side keeps flow
 * windows. A stream that is not read holds up the whole session, as it does with kube-apiserver: memory stays bounded.
 * Ends with the connection; every stream is then destroyed.
 *
 * @throws {Error} when what comes is not SPDY.
 */
export async function serveSpdy(connection: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const session = new Session(connection, onStream)
  try {
    await session.run()
  } finally {
    session.close()
  }
}

class Session {
  readonly #connection: Duplex
  readonly #onStream: (stream: SpdyStream) => void
  readonly #streams = new Map<number, OpenStream>()
  readonly #reader = new HeaderReader()
  readonly #writer = new HeaderWriter()

  constructor(connection: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#connection = connection
    this.#onStream = onStream
  }

  async run(): Promise<void> {
    for await (const { head, body } of frames(this.#connection)) {
      const flags = head[4] ?? 0
      if ((head[0] ?? 0) < 0x80) await this.#data(head.readUInt32BE(0), flags, body)
      else if (!(await this.#control(head.readUInt16BE(2), flags, body))) return
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.destroy()
    this.#streams.clear()
    this.#reader.close()
    this.#writer.close()
  }

  async #data(id: number, flags: number, body: Buffer): Promise<void> {
    const stream = this.#streams.get(id)
    // Data under way when a stream was ended here.
    if (stream === undefined || stream.destroyed) return
    await stream.receive(body)
    if (flags & finFlag) stream.receiveEnd()
  }

  /** False when the session is over. */
  async #control(kind: number, flags: number, body: Buffer): Promise<boolean> {
    if (kind === type.synStream) await this.#open(body.readUInt32BE(0) & 0x7fffffff, flags, body.subarray(10))
    else if (kind === type.reset) this.#streams.get(body.readUInt32BE(0) & 0x7fffffff)?.destroy()
    // The client's pings have odd numbers; they come back as they are.
    else if (kind === type.ping && body.readUInt32BE(0) % 2 === 1)
      await this.#send(controlFrame(type.ping, body))
    // Settings, windows and later headers change nothing here.
    return kind !== type.goAway
  }

  async #open(id: number, flags: number, block: Buffer): Promise<void> {
    const headers = await this.#reader.read(block)
    if (this.#streams.has(id)) return
    if (this.#streams.size >= maxStreams) {
      await this.#send(controlFrame(type.reset, words(id, cancelled)))
      return
    }
    const stream = new OpenStream(headers, {
      send: (bytes, isLast) => this.#send(dataFrame(id, bytes, isLast)),
      closed: (isClean) => {
        this.#streams.delete(id)
        if (!isClean && !this.#connection.destroyed)
          void this.#send(controlFrame(type.reset, words(id, cancelled)))
      },
    })
    this.#streams.set(id, stream)
    if (flags & finFlag) stream.receiveEnd()
    await this.#send(controlFrame(type.synReply, Buffer.concat([words(id), await this.#writer.empty()])))
    this.#onStream(stream)
  }

  async #send(frame: Buffer): Promise<void> {
    if (this.#connection.destroyed || this.#connection.writableEnded) return
    if (this.#connection.write(frame)) return
    const gone = new AbortController()
    const leave = (): void => gone.abort()
    this.#connection.once('close', leave)
    try {
      await once(this.#connection, 'drain', { signal: gone.signal })
    } catch {
      // The client went away: there is nobody to write to.
    } finally {
      this.#connection.off('close', leave)
    }
  }
}

interface StreamEnd {
  send(bytes: Buffer, isLast: boolean): Promise<void>
  closed(isClean: boolean): void
}

class OpenStream extends Duplex implements SpdyStream {
  readonly headers: Readonly<Record<string, string>>
  readonly #end: StreamEnd
  #resume: (() => void) | undefined

  constructor(headers: Readonly<Record<string, string>>, end: StreamEnd) {
    super({ allowHalfOpen: true })
    this.headers = headers
    this.#end = end
  }

  /** Resolves when more may come. */
  async receive(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.push(bytes)) return
    await new Promise<void>((resolve) => {
      this.#resume = resolve
    })
  }

  receiveEnd(): void {
    this.push(null)
  }

  override _read(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#end.send(bytes, false).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#end.send(Buffer.alloc(0), true).then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read()
    this.#end.closed(this.writableFinished)
    done(error)
  }
}

async function* frames(source: Duplex): AsyncGenerator<{ readonly head: Buffer; readonly body: Buffer }> {
  let buffered = Buffer.alloc(0)
  for await (const piece of source) {
    buffered = buffered.length === 0 ? piece : Buffer.concat([buffered, piece])
    for (;;) {
      if (buffered.length < 8) break
      const length = buffered.readUIntBE(5, 3)
      if (length > maxFrameBytes) throw new RangeError(`a SPDY frame of ${length} bytes is too large`)
      if (buffered.length < 8 + length) break
      yield { head: buffered.subarray(0, 8), body: buffered.subarray(8, 8 + length) }
      buffered = buffered.subarray(8 + length)
    }
  }
}

function controlFrame(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x8003, 0)
  head.writeUInt16BE(kind, 2)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function dataFrame(id: number, body: Buffer, isLast: boolean): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(id, 0)
  head.writeUInt8(isLast ? finFlag : 0, 4)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, at) => bytes.writeUInt32BE(value, 4 * at))
  return bytes
}
