import { badRequest } from '../../../kube/index.ts'
import type { Catalog, Registry } from '../../registry/index.ts'
import type { PodStreams } from '../../runtime/index.ts'
import type { StreamServer } from '../handler.ts'
import { logAnswer } from './logs.ts'
import { admitConnect, optionsKind } from './connect.ts'
import { checkPlaced, chooseContainer, podRequest, readPod } from './pod.ts'
import { findDestination, forward, isProxied } from './proxy/index.ts'

export { createUpgradeServer, type UpgradeParts } from './upgrade.ts'

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
    const kind = optionsKind(at)
    if (!kind && (at.subresource !== 'log' || at.verb !== 'get')) return undefined
    const resource = parts.catalog.find(at.group, at.version, at.plural)?.stored
    if (!resource) return undefined
    const request = podRequest(resource, {
      user: api.user,
      subresource: at.subresource,
      signal: api.signal,
      ...(at.namespace && { namespace: at.namespace }),
      ...(at.name && { name: at.name }),
    })
    if (!kind) return logAnswer(parts.streams, readPod(parts.registry, request), target.query, api.signal)
    await admitConnect(parts.registry, request, kind, target.query)
    const pod = readPod(parts.registry, request)
    if (at.subresource !== 'portforward') chooseContainer(pod, target.query.get('container') ?? undefined)
    checkPlaced(pod)
    throw badRequest('Upgrade request required')
  }
}
