import type { Happening, OwnerReference } from '../../kube/index.ts'
import type { Item } from './garbage-graph.ts'

/** Tells of an object that names as owner what lives in another namespace, or in one while itself is in none. */
export function misplacedOwner(item: Item, owner: OwnerReference): Happening {
  const { group, version, kind } = item.type
  const namespace = item.namespace ?? ''
  const named = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`
  return {
    about: {
      kind,
      apiVersion: group === '' ? version : `${group}/${version}`,
      name: item.name,
      uid: item.uid,
      ...(item.namespace !== undefined && { namespace: item.namespace }),
    },
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef ${named} does not exist in namespace ${JSON.stringify(namespace)}`,
  }
}
