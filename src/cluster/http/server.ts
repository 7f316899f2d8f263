import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { StatusError, unauthorized } from '../../kube/index.ts'
import type { UserInfo } from '../registry/index.ts'
import { compressed } from './compression.ts'
import { boundConnections, type TimeLimits, usualTimes } from './connections.ts'
import { createFairness, type Fairness, type FairnessLimits, type Seat } from './fairness.ts'
import { failure } from './handler.ts'
import type { ApiHandler, ApiResponse } from './message.ts'
import { readBody } from './request-body.ts'
import { Rounds } from './rounds.ts'

/** An answer that the client has not taken in by then is given up, and its memory with it. */
const answerTimeoutMs = 120_000
/** Shorter ones fit into the buffers of the operating system. */
const shortAnswer = 64 * 1024

/** Where to listen, and as whom. Certificates and keys are PEM. */
export interface ServerOptions {
  readonly certificate: string
  readonly privateKey: string
  /** Signs client certificates. */
  readonly authority: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly handler: ApiHandler
  /** 4,096 when left out. */
  readonly maxConnections?: number
  /** Some seconds for handshakes and headers, a minute for bodies when left out. */
  readonly times?: TimeLimits
  /** What one user may have under way; plenty when left out. */
  readonly limits?: FairnessLimits
  /** Who sends a request. @throws {StatusError} `Unauthorized`, `Forbidden`. */
  authenticate(socket: TLSSocket, headers: IncomingHttpHeaders): UserInfo | Promise<UserInfo>
  /** Told when a request of a user begins; what it returns is called when the answer is out. */
  began?(socket: TLSSocket, user: UserInfo): () => void
  /** Connections that ask for another protocol (WebSocket). */
  upgrade?(request: IncomingMessage, socket: Socket, head: Buffer): void
  onFault(error: unknown): void
}

/** The TLS front of a handler. */
export interface ApiServer {
  readonly port: number
  /** Stops accepting, ends streams, and resolves when all connections are closed. */
  close(): Promise<void>
}

type Incoming = IncomingMessage | Http2ServerRequest
type Outgoing = ServerResponse | Http2ServerResponse

/**
 * Serves a handler over TLS, HTTP/1.1 and HTTP/2.
 *
 * @throws {Error} of the socket, e.g. EADDRINUSE.
 */
export async function serve(options: ServerOptions): Promise<ApiServer> {
  /** What is under way, to be told when the server stops. */
  const open = new Set<AbortController>()
  let isStopping = false
  const times = options.times ?? usualTimes
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.certificate,
    key: options.privateKey,
    ca: options.authority,
    requestCert: true,
    // Who has no good certificate may still have a token; the authenticator decides.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: times.handshakeMs,
    maxHeaderListPairs: 200,
    settings: { maxConcurrentStreams: 1000, maxHeaderListSize: 64 * 1024 },
  })
  const connections = boundConnections(server, options.maxConnections, times)
  const fairness = createFairness(options.limits)
  const rounds = new Rounds()
  server.on('request', (request: Incoming, response: Outgoing) => {
    const socket = socketOf(request)
    if (socket) response.on('close', connections.begin(socket))
    const gone = new AbortController()
    if (isStopping) gone.abort()
    open.add(gone)
    void respond({ ...options, fairness, rounds, bodyMs: times.bodyMs }, gone, request, response).finally(
      () => open.delete(gone),
    )
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (options.upgrade) options.upgrade(request, socket, head)
    else socket.destroy()
  })
  // A broken connection or handshake is the client's affair.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('sessionError', () => undefined)
  await listen(server, options)
  const { port } = server.address() as AddressInfo
  return {
    port,
    async close() {
      isStopping = true
      for (const gone of open) gone.abort()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        connections.close()
      })
    },
  }
}

async function listen(server: Http2SecureServer, options: ServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      server.on('error', options.onFault)
      resolve()
    })
  })
}

/** The connection below TLS and HTTP/2. */
function socketOf(request: Incoming): TLSSocket | undefined {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket
  return socket instanceof TLSSocket ? socket : undefined
}

interface Serving extends ServerOptions {
  readonly fairness: Fairness
  readonly rounds: Rounds
  readonly bodyMs: number
}

async function respond(
  options: Serving,
  gone: AbortController,
  request: Incoming,
  response: Outgoing,
): Promise<void> {
  let seat: Seat | undefined
  let answered: (() => void) | undefined
  let isSent = false
  const leave = (): void => {
    if (!isSent) gone.abort()
    // Only now: an answer that the client does not take in still takes up memory.
    seat?.release()
    seat = undefined
    answered?.()
  }
  response.on('close', leave)
  let answer: ApiResponse
  try {
    const socket = socketOf(request)
    if (!socket) throw unauthorized()
    const user = await options.authenticate(socket, request.headers)
    answered = options.began?.(socket, user)
    const place = options.fairness.enter(user)
    const taken = place instanceof Promise ? await place : place
    seat = taken
    if (response.destroyed) return leave()
    const start = performance.now()
    const answering = options.handler({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      user,
      ...(socket.remoteAddress && { clientAddress: socket.remoteAddress }),
      readBody: () => readBody(request, options.bodyMs),
      ...(hasBody(request) && { body: request }),
      // Made when first looked at: most requests are answered without anybody waiting on it.
      get signal() {
        return gone.signal
      },
    })
    taken.spent(performance.now() - start)
    answer = await answering
    if (isStream(answer)) taken.stream()
  } catch (error) {
    // A stream that finds no place has begun already: nobody will read it to its end.
    gone.abort()
    answer = failure(error, options.onFault)
  }
  try {
    const packed = compressed(answer, request.headers['accept-encoding'])
    if (packed instanceof Promise) answer = await packed
    else answer = packed
    const start = performance.now()
    const sending = send(answer, request, response, gone, options.rounds)
    // Encrypting a long answer costs as much as making it.
    seat?.spent(performance.now() - start)
    await sending
    isSent = true
  } catch (error) {
    // What somebody else answers, and breaks off, is no fault of this server.
    if (!gone.signal.aborted && !(error instanceof StatusError)) options.onFault(error)
    response.destroy()
  }
}

function hasBody(request: Incoming): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  return length !== '0' || encoding !== undefined
}

function isStream({ body }: ApiResponse): boolean {
  return typeof body !== 'string' && !Buffer.isBuffer(body)
}

async function send(
  answer: ApiResponse,
  request: Incoming,
  response: Outgoing,
  gone: AbortController,
  rounds: Rounds,
): Promise<void> {
  if (response.destroyed) return
  response.statusCode = answer.status
  response.setHeader('cache-control', 'no-cache, private')
  for (const [name, value] of Object.entries(answer.headers)) setHeader(response, name, value)
  if (typeof answer.body === 'string' || Buffer.isBuffer(answer.body)) {
    const length = Buffer.byteLength(answer.body)
    response.setHeader('content-length', length)
    // Behind a text the bytes of headers would be encoded once more with it.
    const body = 'warning' in answer.headers ? Buffer.from(answer.body) : answer.body
    response.end(request.method === 'HEAD' ? '' : body)
    if (length > shortAnswer) giveUpLate(response)
    return
  }
  const { signal } = gone
  // A watcher must see that its watch has begun before the first event comes.
  // Both responses have it; only their types differ.
  ;(response as ServerResponse).flushHeaders()
  const leave = answer.mayGather ? rounds.enter() : undefined
  try {
    for await (const piece of answer.body) {
      if (signal.aborted) break
      // A client that does not read must not make us hold what it does not read.
      if (!writeTo(response, piece)) await drained(response, signal)
      if (leave) await rounds.next()
    }
  } finally {
    leave?.()
  }
  response.end()
}

function giveUpLate(response: Outgoing): void {
  const timer = setTimeout(() => response.destroy(), answerTimeoutMs)
  timer.unref()
  response.on('close', () => clearTimeout(timer))
}

/** The two servers' responses differ only in their types. */
function setHeader(response: Outgoing, name: string, value: string | readonly string[]): void {
  ;(response as ServerResponse).setHeader(name, typeof value === 'string' ? value : [...value])
}

function writeTo(response: Outgoing, piece: string | Uint8Array): boolean {
  return (response as ServerResponse).write(piece)
}

async function drained(response: Outgoing, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    response.on('drain', done)
    signal.addEventListener('abort', done)
  })
}
