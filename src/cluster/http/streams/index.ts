import { badRequest } from '../../../kube/index.ts'
import type { Catalog, Registry } from '../../registry/index.ts'
import type { PodStreams } from '../../runtime/index.ts'
import type { StreamServer } from '../handler.ts'
import { logAnswer } from './logs.ts'
import { podRequest, readPod } from './pod.ts'
import { findDestination, forward, isProxied } from './proxy/index.ts'

export { createUpgradeServer, type UpgradeParts } from './upgrade.ts'

const upgraded = new Set(['exec', 'attach', 'portforward'])

/** Serves logs of pods and what is asked of the programs in them, and answers what asks for a stream without upgrading the connection. */
export function createStreamServer(parts: {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly streams: PodStreams
}): StreamServer {
  return async (api, target) => {
    const at = target.resource
    if (at && isProxied(at)) {
      const { user, signal } = api
      return forward(parts.streams, await findDestination(parts, { at, user, signal }), api, target)
    }
    if (!at || at.group !== '' || at.plural !== 'pods' || !at.subresource) return undefined
    if (upgraded.has(at.subresource)) throw badRequest('Upgrade request required')
    if (at.subresource !== 'log' || at.verb !== 'get') return undefined
    const resource = parts.catalog.find(at.group, at.version, at.plural)?.stored
    if (!resource) return undefined
    const pod = readPod(
      parts.registry,
      podRequest(resource, {
        user: api.user,
        subresource: 'log',
        signal: api.signal,
        ...(at.namespace && { namespace: at.namespace }),
        ...(at.name && { name: at.name }),
      }),
    )
    return logAnswer(parts.streams, pod, target.query, api.signal)
  }
}
