import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { badRequest, serviceUnavailable, StatusError } from '../../../../kube/index.ts'
import type { PodStreams } from '../../../runtime/index.ts'
import { type ApiRequest, type ApiResponse, headerOf } from '../../message.ts'
import type { Target } from '../../target.ts'
import type { Destination } from './destination.ts'
import { answerHeaders, requestHeaders } from './headers.ts'

/** How long a pod may take to begin its answer. */
const patienceMs = 60_000

/** Passes a request on to a pod, and its answer back, piece by piece: of neither more is held than is on its way. */
export async function forward(
  streams: PodStreams,
  to: Destination,
  api: ApiRequest,
  target: Target,
): Promise<ApiResponse> {
  const mark = api.url.indexOf('?')
  // Relative links of a page would lead beside it.
  if (target.resource?.rest === undefined && !target.path.endsWith('/') && /^(GET|HEAD)$/.test(api.method)) {
    return {
      status: 301,
      headers: { location: `${target.path}/${mark < 0 ? '' : api.url.slice(mark)}` },
      body: '',
    }
  }
  const text = api.body ? '' : await api.readBody()
  const request = await openRequest(streams, to, api, target, framing(api, text))
  const answering = answerOf(request, api.signal)
  if (api.body) passOn(api.body, request)
  else request.end(text)
  const answer = await answering
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 599) {
    answer.destroy()
    throw serviceUnavailable(`error trying to reach service: unexpected status ${status}`)
  }
  return { status, headers: answerHeaders(answer.headers), body: piecesOf(answer) }
}

/**
 * How the pod is to know where the body ends. It must be said for every method: a body that is not announced would be another request
 * to the pod, of a method that nobody was asked about.
 */
function framing(api: ApiRequest, text: string): Readonly<Record<string, string>> {
  if (headerOf(api, 'content-length') !== undefined) return {}
  if (api.body) return { 'transfer-encoding': 'chunked' }
  return text === '' ? {} : { 'content-length': String(Buffer.byteLength(text)) }
}

/** A pod may well answer without reading to the end: the rest of the body is thrown away, and the client hears the answer. */
function passOn(body: Readable, request: ClientRequest): void {
  body.on('error', () => request.destroy())
  request.on('close', () => {
    body.unpipe(request)
    body.resume()
  })
  body.pipe(request)
}

/**
 * A request to a pod that is yet to be sent.
 *
 * @throws {StatusError} `ServiceUnavailable` when nobody listens there, `BadRequest` for a path that is none.
 */
export async function openRequest(
  streams: PodStreams,
  to: Destination,
  api: Pick<ApiRequest, 'method' | 'url' | 'headers' | 'clientAddress' | 'signal'>,
  target: Target,
  more: Readonly<Record<string, string>> = {},
): Promise<ClientRequest> {
  const mark = api.url.indexOf('?')
  const path = `/${target.resource?.rest ?? ''}${mark < 0 ? '' : api.url.slice(mark)}`
  // Printable characters alone: what else a parser may have let through is not passed on.
  if (!/^[\x21-\x7e]+$/.test(path)) throw badRequest('the path holds characters that must be encoded')
  const connection = await connectionTo(streams, to, api.signal)
  const headers = requestHeaders(api.headers, {
    host: to.host,
    forwardedHost: headerOf(api, 'host') ?? headerOf(api, ':authority'),
    path: target.path,
    clientAddress: api.clientAddress,
  })
  try {
    return httpRequest({
      method: api.method,
      path,
      headers: { ...headers, ...more },
      createConnection: () => connection,
      setHost: false,
      signal: api.signal,
    })
  } catch (cause) {
    connection.destroy()
    throw badRequest(cause instanceof Error ? cause.message : String(cause))
  }
}

async function connectionTo(streams: PodStreams, to: Destination, signal: AbortSignal): Promise<Duplex> {
  try {
    const socket = await streams.connect(to.pod, to.port, signal)
    // As Kubernetes has it: pods' certificates are nobody's to check here.
    return to.scheme === 'https' ? connectTls({ socket, rejectUnauthorized: false }) : socket
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'ServiceUnavailable') throw error
    throw serviceUnavailable(
      `error trying to reach service: dial tcp ${to.host}: connect: connection refused`,
    )
  }
}

/** @throws {StatusError} `ServiceUnavailable` when there is none in time. */
function answerOf(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => request.destroy(new Error(`no answer within ${patienceMs / 1000} seconds`)),
      patienceMs,
    )
    late.unref()
    request.on('close', () => clearTimeout(late))
    request.on('response', (answer) => {
      clearTimeout(late)
      resolve(answer)
    })
    // Nobody asked for another protocol.
    request.on('upgrade', (_answer, socket: Duplex) => {
      socket.destroy()
      reject(serviceUnavailable('error trying to reach service: the pod switched protocols unasked'))
    })
    request.on('error', (error) => {
      const why = signal.aborted ? 'the client went away' : error.message
      reject(serviceUnavailable(`error trying to reach service: ${why}`))
    })
  })
}

async function* piecesOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of answer) yield piece
  } catch (cause) {
    // The client must see that the answer is not whole: its connection is cut.
    throw serviceUnavailable(
      `error trying to reach service: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  } finally {
    answer.destroy()
  }
}
