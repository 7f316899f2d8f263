import { badRequest, parseDurationMs } from '../../kube/index.ts'
import type { ApiRequest } from './message.ts'
import type { Target } from './target.ts'

/** No request but those that last may take longer, whatever its client says. */
const longestMs = 60_000
const lastingVerbs = new Set(['watch'])
const lastingSubresources = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/**
 * Ends a request when its client no longer waits for the answer: after `timeout`, where the query has one.
 *
 * @throws {StatusError} `BadRequest` for what is no time.
 */
export function withDeadline(api: ApiRequest, { query, resource }: Target): ApiRequest {
  const text = query.get('timeout')
  if (!text) return api
  if (resource && (lastingVerbs.has(resource.verb) || lastingSubresources.has(resource.subresource ?? '')))
    return api
  const milliseconds = parseDurationMs(text)
  if (milliseconds === undefined) {
    const fault = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? 'missing unit in' : 'invalid'
    throw badRequest(
      `invalid timeout specified in the request URL - time: ${fault} duration ${JSON.stringify(text)}`,
    )
  }
  if (milliseconds <= 0 || milliseconds >= longestMs) return api
  return { ...api, signal: AbortSignal.any([api.signal, AbortSignal.timeout(milliseconds)]) }
}
