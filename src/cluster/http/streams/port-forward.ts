import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'
import { StatusError } from '../../../kube/index.ts'
import type { PodStreams } from '../../runtime/index.ts'
import type { StreamPod } from './pod.ts'
import { serveSpdy, type SpdyStream } from './spdy/session.ts'

/** SPDY frames as binary messages: how kubectl forwards ports over WebSocket (https://kep.k8s.io/4006). */
export const forwardProtocol = 'SPDY/3.1+portforward.k8s.io'

/** One forwarded connection: SPDY streams come in pairs that share a request id. */
interface Pair {
  error?: SpdyStream
  data?: SpdyStream
}

/** Serves port forwarding on a WebSocket until the client goes away. */
export async function servePortForward(
  streams: PodStreams,
  pod: StreamPod,
  client: WebSocket,
): Promise<void> {
  const tunnel = createWebSocketStream(client)
  // The connection ends with the tunnel; its own errors say no more than that.
  tunnel.on('error', () => undefined)
  const gone = new AbortController()
  const pairs = new Map<string, Pair>()
  try {
    await serveSpdy(tunnel, (stream) => {
      stream.on('error', () => undefined)
      const { requestid = '', streamtype, port } = stream.headers
      const pair = pairs.get(requestid) ?? {}
      pairs.set(requestid, pair)
      if (streamtype === 'error') pair.error = stream
      else if (streamtype === 'data') pair.data = stream
      if (!pair.error || !pair.data) return
      pairs.delete(requestid)
      void forward(streams, pod, Number(port), { error: pair.error, data: pair.data }, gone.signal)
    })
  } catch (error) {
    // What does not speak SPDY, and who breaks off, gets nothing more; there is no one to tell.
    if (!(error instanceof Error)) throw error
  } finally {
    gone.abort()
    client.terminate()
  }
}

async function forward(
  streams: PodStreams,
  pod: StreamPod,
  port: number,
  pair: Required<Pair>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const connection: Duplex = pair.data
    await streams.portForward(pod.ref, port, connection, signal)
    pair.error.end()
  } catch (error) {
    const why = error instanceof StatusError || error instanceof Error ? error.message : String(error)
    pair.error.end(`error forwarding port ${port} to pod ${pod.ref.name}, uid ${pod.ref.uid}: ${why}`)
    pair.data.end()
  }
}
