import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { badRequest, requestTooLarge } from '../../kube/index.ts'
import { jsonOfProtobuf, protobufType } from './protobuf.ts'

/** Kubernetes' limit for request bodies. */
const maxBodyBytes = 3 * 1024 * 1024
/** What of a body too large is read and thrown away, so that the client hears why; then the line is cut. */
const maxDiscardedBytes = 32 * 1024 * 1024
/** How long who sent half a body may take to read what is wrong, before the line is cut. */
const lastWordMs = 1000

/**
 * The whole body as text, if it comes within so many milliseconds.
 *
 * @throws {StatusError} `RequestEntityTooLarge`, as soon as the length is known; `BadRequest` for what is not UTF-8 and
 *   for bodies that do not come.
 */
export function readBody(request: IncomingMessage | Http2ServerRequest, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    const late = setTimeout(() => {
      pieces.length = 0
      reject(badRequest('the request body did not arrive in time'))
      setTimeout(() => cut(request), lastWordMs).unref()
    }, timeoutMs)
    const refuse = (): void => {
      pieces.length = 0
      reject(requestTooLarge(`Request entity too large: limit is ${maxBodyBytes}`))
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) refuse()
    request.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= maxBodyBytes) pieces.push(piece)
      else if (size > maxDiscardedBytes) cut(request)
      else refuse()
    })
    request.on('end', () => {
      clearTimeout(late)
      if (size > maxBodyBytes) return
      const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
      try {
        resolve(textOf(request, bytes))
      } catch (error) {
        reject(error)
      }
    })
    request.on('close', () => clearTimeout(late))
    request.on('error', (error: Error) => {
      clearTimeout(late)
      reject(error)
    })
    request.on('aborted', () => reject(badRequest('the client went away')))
  })
}

/** Ends the stream of an HTTP/2 request, which its `destroy` leaves open, or the connection of any other. */
function cut(request: IncomingMessage | Http2ServerRequest): void {
  if ('stream' in request) request.stream.close()
  else request.destroy()
}

function textOf(request: IncomingMessage | Http2ServerRequest, bytes: Buffer): string {
  if (request.headers['content-type']?.startsWith(protobufType)) return jsonOfProtobuf(bytes)
  // Replacing what is no UTF-8 would store another text than was sent.
  if (!isUtf8(bytes)) throw badRequest('the request body is not valid UTF-8')
  return bytes.toString('utf8')
}
