import { isStatus, type KubeObject } from '../kube/index.ts'
import { keepUp, makeOwn, type OwnParts, ownRequest } from './own-objects.ts'
import { same } from './registry/validation/equality.ts'

const manager = 'kube-apiserver'

/**
 * Keeps `extension-apiserver-authentication` in `kube-system`: the authority that client certificates are trusted by here,
 * for servers of others that are to trust the same clients.
 *
 * @param authority certificates (PEM).
 */
export function keepAuthenticationTrust(parts: OwnParts, authority: string): void {
  const wanted: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: { 'client-ca-file': authority },
  }
  keepUp(parts, () => ensure(parts, wanted))
}

async function ensure(parts: OwnParts, wanted: KubeObject): Promise<void> {
  const request = ownRequest(parts, wanted, manager)
  if (!request) return
  try {
    if (same(parts.registry.get(request).value['data'], wanted['data'])) return
    await parts.registry.update(
      { ...request, verb: 'update' },
      { next: (live) => ({ ...live, data: wanted['data'] }) },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    await makeOwn(parts, wanted, manager)
  }
}
