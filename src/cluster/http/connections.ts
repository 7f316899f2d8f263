import type { Http2SecureServer, ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

/** Connections open at once; each costs some 50 KB. */
const maxConnections = 4096
/** A client that has not finished its TLS handshake by then is none. */
export const handshakeTimeoutMs = 10_000
/** From the first byte of a request to the end of its headers. */
const headersTimeoutMs = 15_000
/** From the first byte of a request to the end of its body. */
const requestTimeoutMs = 70_000
/** Longer than clients keep idle connections (Go: 90 s), so that they close first. */
const idleTimeoutMs = 120_000

/** The connections of a server, kept within bounds: when there are too many, the one that is idle for longest goes. */
export interface Connections {
  /** A request came over this connection: it is not idle. */
  begin(socket: Socket): void
  end(socket: Socket): void
  close(): void
}

export function boundConnections(server: Http2SecureServer): Connections {
  /** Requests under way by connection, the least recently used first. */
  const open = new Map<Socket, number>()
  boundTimes(server)
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    if (open.size >= maxConnections) idlest(open)?.destroy()
    open.set(socket, 0)
    socket.on('close', () => open.delete(socket))
  })
  server.on('session', boundSession)
  const touch = (socket: Socket, difference: number): void => {
    const requests = open.get(socket)
    if (requests === undefined) return
    // Only moves those that are idle: a busy connection is in no danger, wherever it stands.
    if (requests + difference === 0) open.delete(socket)
    open.set(socket, requests + difference)
  }
  return {
    begin: (socket) => touch(socket, 1),
    end: (socket) => touch(socket, -1),
    close() {
      for (const socket of open.keys()) socket.destroySoon()
      setTimeout(() => {
        for (const socket of open.keys()) socket.destroy()
      }, 1000).unref()
    },
  }
}

/** Without an idle one the newcomer has to go: those at work are never cut. */
function idlest(open: ReadonlyMap<Socket, number>): Socket | undefined {
  for (const [socket, requests] of open) if (requests === 0) return socket
  return undefined
}

/** Node's HTTP/2 server serves HTTP/1 with these fields of `http.Server`; its types do not know them. */
function boundTimes(server: Http2SecureServer): void {
  Object.assign(server, {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
  })
}

/** Ends HTTP/2 connections on which nothing is open and nothing happens. */
function boundSession(session: ServerHttp2Session): void {
  let streams = 0
  session.on('stream', (stream) => {
    streams++
    stream.on('close', () => streams--)
  })
  session.setTimeout(idleTimeoutMs, () => {
    if (streams === 0) session.close()
  })
}
