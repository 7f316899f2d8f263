import type { KubeRequest, KubeResponse, Transport } from '../../kube/index.ts'
import type { UserInfo } from '../registry/index.ts'
import type { ApiHandler } from './message.ts'

/**
 * A transport straight into the handler, as a given user: for the parts of the control plane that run in this process.
 * Authorisation, admission and quota are the same as for anyone.
 */
export function localTransport(handler: ApiHandler, user: UserInfo): Transport {
  return async (request: KubeRequest): Promise<KubeResponse> => {
    const answer = await handler({
      method: request.method,
      url: request.path,
      headers: { 'user-agent': user.name.replaceAll('/', '-'), ...request.headers },
      user,
      readBody: () => Promise.resolve(textOf(request.body)),
      signal: request.signal ?? neverAborted,
    })
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers))
      headers[name] = typeof value === 'string' ? value : value.join(', ')
    return { status: answer.status, headers, body: chunks(answer.body) }
  }
}

const neverAborted = new AbortController().signal

function textOf(body: string | Uint8Array | undefined): string {
  return typeof body === 'string' ? body : Buffer.from(body ?? []).toString('utf8')
}

async function* chunks(
  body: string | Buffer | AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body)
  else if (Buffer.isBuffer(body)) yield body
  else for await (const piece of body) yield typeof piece === 'string' ? Buffer.from(piece) : piece
}
