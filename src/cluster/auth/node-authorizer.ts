import type { Reader, UserInfo } from '../registry/index.ts'
import type { KubeObject } from '../../kube/index.ts'
import {
  type Authorizer,
  type Decision,
  isResourceAttributes,
  type ResourceAttributes,
} from './authorizer.ts'
import { parseRules, ruleAllows } from './rbac/policy-rule.ts'
import { nodeRules } from './rbac/system-roles.ts'
import { nodeOfUserName, nodesGroup } from './users.ts'

const rules = parseRules(nodeRules)
const allowed: Decision = Object.freeze({ allowed: true, reason: '' })

/** The node a user is, or undefined for everybody else. */
export function nodeOfUser(user: UserInfo): string | undefined {
  return user.groups.includes(nodesGroup) ? nodeOfUserName(user.name) : undefined
}

/**
 * Rights of nodes: what the role `system:node` says, and of pods, secrets, config maps and volumes only those that belong
 * to the node. Writes are narrowed further by admission, which sees the objects
 * (https://kubernetes.io/docs/reference/access-authn-authz/node/).
 */
export function createNodeAuthorizer(reader: Reader, rest: Authorizer): Authorizer {
  return {
    authorize(attributes) {
      const node = nodeOfUser(attributes.user)
      if (node === undefined || !isResourceAttributes(attributes)) return rest.authorize(attributes)
      const fault = refuse(reader, node, attributes)
      if (fault === undefined && rules.some((rule) => ruleAllows(rule, attributes))) return allowed
      const decision = rest.authorize(attributes)
      return decision.allowed || fault === undefined
        ? decision
        : { allowed: false, reason: [fault, decision.reason].filter(Boolean).join(', ') }
    },
  }
}

/** Why a request for something that may not be the node's is refused; undefined when nothing stands against it. */
function refuse(reader: Reader, node: string, attributes: ResourceAttributes): string | undefined {
  const { group, resource, verb, subresource } = attributes
  if (group === 'storage.k8s.io') return refuseStorage(reader, node, attributes)
  if (group !== '') return undefined
  if (resource === 'pods' && !subresource) return refusePodRead(reader, node, attributes)
  if (!isReferred(resource)) return undefined
  if (resource === 'serviceaccounts')
    return isReferredByOwnPod(reader, node, attributes)
      ? undefined
      : `no relationship found between node '${node}' and this object`
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch')
    return subresource === 'status' ? undefined : 'can only read resources of this type'
  if (!attributes.name) return 'No Object name found'
  return isReferredByOwnPod(reader, node, attributes)
    ? undefined
    : `no relationship found between node '${node}' and this object`
}

function refuseStorage(reader: Reader, node: string, attributes: ResourceAttributes): string | undefined {
  const { resource, verb, name } = attributes
  if (resource === 'csinodes') {
    return verb === 'create' || name === node
      ? undefined
      : 'can only access CSINode with the same name as the requesting node'
  }
  if (resource !== 'volumeattachments') return undefined
  if (!name) return 'No Object name found'
  const attachment = reader.get('storage.k8s.io/volumeattachments', undefined, name)
  return attachment && nodeNameOf(attachment) === node
    ? undefined
    : `no relationship found between node '${node}' and this object`
}

function refusePodRead(reader: Reader, node: string, attributes: ResourceAttributes): string | undefined {
  const { verb, namespace, name, fieldSelector = '' } = attributes
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return undefined
  const isOwnOnly = fieldSelector
    .split(',')
    .some((part) => part.replace('==', '=') === `spec.nodeName=${node}`)
  if (verb !== 'get' && isOwnOnly) return undefined
  if (!name) return `can only list/watch pods with spec.nodeName field selector`
  const pod = reader.get('/pods', namespace, name)
  // An unknown pod is answered with 404 by the registry, as for everybody.
  return !pod || nodeNameOf(pod) === node
    ? undefined
    : `no relationship found between node '${node}' and this object`
}

function isReferred(resource: string): boolean {
  return (
    resource === 'secrets' ||
    resource === 'configmaps' ||
    resource === 'persistentvolumeclaims' ||
    resource === 'persistentvolumes' ||
    resource === 'serviceaccounts'
  )
}

function isReferredByOwnPod(reader: Reader, node: string, attributes: ResourceAttributes): boolean {
  const { resource, namespace, name = '' } = attributes
  if (resource === 'persistentvolumes') {
    const claim = recordOf(recordOf(reader.get('/persistentvolumes', undefined, name)?.spec).claimRef)
    if (typeof claim.namespace !== 'string' || typeof claim.name !== 'string') return false
    return anyOwnPod(reader, node, claim.namespace, (pod) =>
      refersTo(pod, 'persistentvolumeclaims', String(claim.name)),
    )
  }
  return anyOwnPod(reader, node, namespace, (pod) => refersTo(pod, resource, name))
}

function anyOwnPod(
  reader: Reader,
  node: string,
  namespace: string | undefined,
  test: (pod: KubeObject) => boolean,
): boolean {
  if (!namespace) return false
  for (const pod of reader.list('/pods', namespace)) if (nodeNameOf(pod) === node && test(pod)) return true
  return false
}

function refersTo(pod: KubeObject, resource: string, name: string): boolean {
  const spec = recordOf(pod.spec)
  if (resource === 'serviceaccounts') return spec.serviceAccountName === name
  if (resource === 'persistentvolumeclaims')
    return listOf(spec.volumes).some((volume) => recordOf(volume.persistentVolumeClaim).claimName === name)
  const isSecret = resource === 'secrets'
  if (isSecret && listOf(spec.imagePullSecrets).some((secret) => secret.name === name)) return true
  const containers = [...listOf(spec.initContainers), ...listOf(spec.containers)]
  return (
    listOf(spec.volumes).some((volume) => volumeRefersTo(volume, isSecret, name)) ||
    containers.some((container) => environmentRefersTo(container, isSecret, name))
  )
}

function volumeRefersTo(volume: Readonly<Record<string, unknown>>, isSecret: boolean, name: string): boolean {
  const own = isSecret
    ? recordOf(volume.secret).secretName === name
    : recordOf(volume.configMap).name === name
  if (own) return true
  return listOf(recordOf(volume.projected).sources).some(
    (source) => recordOf(isSecret ? source.secret : source.configMap).name === name,
  )
}

function environmentRefersTo(
  container: Readonly<Record<string, unknown>>,
  isSecret: boolean,
  name: string,
): boolean {
  return (
    listOf(container.envFrom).some(
      (source) => recordOf(isSecret ? source.secretRef : source.configMapRef).name === name,
    ) ||
    listOf(container.env).some((variable) => {
      const from = recordOf(variable.valueFrom)
      return recordOf(isSecret ? from.secretKeyRef : from.configMapKeyRef).name === name
    })
  )
}

/** The node a pod is bound to, or a volume is attached to. */
export function nodeNameOf(pod: KubeObject): string | undefined {
  const name = recordOf(pod.spec).nodeName
  return typeof name === 'string' && name !== '' ? name : undefined
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(recordOf) : []
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
