import type { Http2SecureServer, ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

/** Connections open at once; each costs some 50 KB. */
const maxConnections = 4096
/** How long a client may take over what it sends. */
export interface TimeLimits {
  /** A client that has not finished its TLS handshake by then is none. */
  readonly handshakeMs: number
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number
  /** A body comes within this time of being asked for, or never: who sends it hears so. */
  readonly bodyMs: number
  /** From the first byte of a request to the end of its body; then the line is cut. */
  readonly requestMs: number
  /** Longer than clients keep idle connections (Go: 90 s), so that they close first. */
  readonly idleMs: number
  /** How often requests that are late are looked for. */
  readonly checkMs: number
}

export const usualTimes: TimeLimits = {
  handshakeMs: 10_000,
  headersMs: 15_000,
  bodyMs: 60_000,
  requestMs: 70_000,
  idleMs: 120_000,
  checkMs: 30_000,
}

/** The connections of a server, kept within bounds: when there are too many, the one that is idle for longest goes. */
export interface Connections {
  /** A request came over this connection: it is not idle until the function returned is called. */
  begin(socket: Socket): () => void
  close(): void
}

export function boundConnections(
  server: Http2SecureServer,
  most = maxConnections,
  times = usualTimes,
): Connections {
  /** By the client's address, the least recently used first: TCP, TLS and HTTP/2 each have a socket of their own. */
  const open = new Map<string, Connection>()
  boundTimes(server, times)
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    if (open.size >= most) (idlest(open) ?? socket).destroy()
    const peer = peerOf(socket)
    const connection = { socket, requests: 0 }
    open.set(peer, connection)
    socket.on('close', () => {
      if (open.get(peer) === connection) open.delete(peer)
    })
  })
  server.on('session', (session) => boundSession(session, times.idleMs))
  const touch = (peer: string, difference: number): void => {
    const connection = open.get(peer)
    if (connection === undefined) return
    connection.requests += difference
    // Only moves those that are idle: a busy connection is in no danger, wherever it stands.
    if (connection.requests === 0) {
      open.delete(peer)
      open.set(peer, connection)
    }
  }
  return {
    begin(socket) {
      const peer = peerOf(socket)
      touch(peer, 1)
      // By then the socket may have forgotten whom it spoke with.
      return () => touch(peer, -1)
    },
    close() {
      for (const { socket } of open.values()) socket.destroySoon()
      setTimeout(() => {
        for (const { socket } of open.values()) socket.destroy()
      }, 1000).unref()
    },
  }
}

interface Connection {
  readonly socket: Socket
  /** Under way now. */
  requests: number
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`
}

/** Without an idle one the newcomer has to go: those at work are never cut. */
function idlest(open: ReadonlyMap<string, Connection>): Socket | undefined {
  for (const { socket, requests } of open.values()) if (requests === 0) return socket
  return undefined
}

/** Node's HTTP/2 server serves HTTP/1 with these fields of `http.Server`; its types do not know them. */
function boundTimes(server: Http2SecureServer, times: TimeLimits): void {
  Object.assign(server, {
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    keepAliveTimeout: times.idleMs,
    connectionsCheckingInterval: times.checkMs,
  })
}

/** Ends HTTP/2 connections on which nothing is open and nothing happens. */
function boundSession(session: ServerHttp2Session, idleMs: number): void {
  let streams = 0
  session.on('stream', (stream) => {
    streams++
    stream.on('close', () => streams--)
  })
  session.setTimeout(idleMs, () => {
    if (streams === 0) session.close()
  })
}
