import type { KubeRequest, KubeResponse, SharedAnswer, Transport } from '../../kube/index.ts'
import type { UserInfo } from '../registry/index.ts'
import type { ApiHandler } from './message.ts'

/**
 * A transport straight into the handler, as a given user: for the parts of the control plane that run in this process.
 * Authorisation, admission and quota are the same as for anyone.
 */
export function localTransport(handler: ApiHandler, user: UserInfo): Transport {
  return async (request: KubeRequest): Promise<KubeResponse> => {
    // Who stops reading ends the request, as closing a connection does.
    const reading = new AbortController()
    const stop = (): void => reading.abort(request.signal?.reason)
    // Not by `AbortSignal.any`: callers' signals live long, and nothing of a request may stay with them.
    const release = (): void => request.signal?.removeEventListener('abort', stop)
    if (request.signal?.aborted) stop()
    else request.signal?.addEventListener('abort', stop, { once: true })
    const answer = await handler({
      method: request.method,
      url: request.path,
      headers: { 'user-agent': user.name.replaceAll('/', '-'), ...request.headers },
      user,
      readBody: () => Promise.resolve(textOf(request.body)),
      // Made when first looked at: few requests wait for anything.
      get signal() {
        return reading.signal
      },
    }).catch((error: unknown) => {
      release()
      throw error
    })
    const isStream = typeof answer.body !== 'string' && !Buffer.isBuffer(answer.body)
    if (!isStream) release()
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers))
      headers[name] = typeof value === 'string' ? value : value.join(', ')
    const { body } = answer
    const end = (): void => {
      release()
      reading.abort()
    }
    return {
      status: answer.status,
      headers,
      body: chunks(body, end),
      ...(answer.shared && { shared: ended(answer.shared, end) }),
      ...(typeof body === 'string' && { text: () => body }),
    }
  }
}

function textOf(body: string | Uint8Array | undefined): string {
  return typeof body === 'string' ? body : Buffer.from(body ?? []).toString('utf8')
}

async function* chunks(
  body: string | Buffer | AsyncIterable<string | Uint8Array>,
  end: () => void,
): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body)
  else if (Buffer.isBuffer(body)) yield body
  else
    for await (const piece of until(body, end)) yield typeof piece === 'string' ? Buffer.from(piece) : piece
}

function ended({ list, events }: SharedAnswer, end: () => void): SharedAnswer {
  return {
    ...(list && {
      list: () => {
        // Nobody will read the text of it.
        end()
        return list()
      },
    }),
    ...(events && { events: () => until(events(), end) }),
  }
}

/** Passes on what comes, and calls `end` when nobody reads on. */
async function* until<T>(parts: AsyncIterable<T>, end: () => void): AsyncGenerator<T> {
  const iterator = parts[Symbol.asyncIterator]()
  try {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  } finally {
    // Before the iterator is told to return: it may be waiting for the next event, and then would not hear.
    end()
    await iterator.return?.()
  }
}
