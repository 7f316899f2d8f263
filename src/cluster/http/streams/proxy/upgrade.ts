import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { serviceUnavailable } from '../../../../kube/index.ts'
import type { PodStreams } from '../../../runtime/index.ts'
import type { ApiRequest } from '../../message.ts'
import type { Target } from '../../target.ts'
import type { Destination } from './destination.ts'
import { openRequest } from './forward.ts'
import { answerHeaders } from './headers.ts'

/** How long a pod may take to agree to another protocol. */
const patienceMs = 60_000
/** How long who was refused may take to read the answer. */
const lastWordMs = 1000

/**
 * Asks a pod to switch protocols in a client's name, and joins the two connections when it does. Whatever else it answers is passed
 * on and ends the connection: the client's next request on it would be meant for this server, with all that tells who asks.
 *
 * @throws {StatusError} `ServiceUnavailable` when the pod cannot be reached.
 */
export async function forwardUpgrade(
  streams: PodStreams,
  to: Destination,
  api: Pick<ApiRequest, 'method' | 'url' | 'headers' | 'clientAddress' | 'signal'>,
  target: Target,
  client: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  // What comes behind the head is of the new protocol, and no body.
  const { upgrade: protocol, 'content-length': _length, ...headers } = api.headers
  const request = await openRequest(streams, to, { ...api, headers }, target, {
    connection: 'Upgrade',
    upgrade: typeof protocol === 'string' ? protocol : '',
  })
  const { socket, head } = client
  const late = setTimeout(() => request.destroy(new Error('no answer in time')), patienceMs)
  late.unref()
  await new Promise<void>((resolve, reject) => {
    request.on('error', (error) => {
      reject(serviceUnavailable(`error trying to reach service: ${error.message}`))
    })
    request.on('upgrade', (answer, connection: Duplex, first: Buffer) => {
      const agreed = { connection: 'Upgrade', upgrade: answer.headers.upgrade ?? '' }
      socket.write(headOf(answer, agreed), 'latin1')
      if (first.length > 0) socket.write(first)
      if (head.length > 0) connection.write(head)
      carry(socket, connection)
      carry(connection, socket)
      resolve()
    })
    request.on('response', (answer) => {
      // Taken apart on the way here: its length as it was, or else until the connection ends.
      socket.write(headOf(answer, { connection: 'close' }), 'latin1')
      void pipeline(answer, socket)
        .catch(() => undefined)
        .finally(() => leave(socket))
      resolve()
    })
    request.end()
  }).finally(() => clearTimeout(late))
}

/** Ends a connection whose client may still be sending; at once it might not get what it was told. */
function leave(socket: Duplex): void {
  socket.resume()
  setTimeout(() => socket.destroy(), lastWordMs).unref()
}

/** One direction. How such a connection ends is between the two programs at its ends; what was said before is still delivered. */
function carry(from: Duplex, to: Duplex): void {
  from.pipe(to)
  from.once('error', () => to.destroy())
  from.once('close', () => {
    if (to.writableFinished) to.destroy()
    else to.end(() => to.destroy())
  })
}

function headOf(answer: IncomingMessage, more: Readonly<Record<string, string>>): string {
  const status = answer.statusCode ?? 502
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
  for (const [name, value] of Object.entries({ ...answerHeaders(answer.headers), ...more }))
    for (const one of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${one}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
