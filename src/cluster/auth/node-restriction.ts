import type { Admission, Admitter, Reader } from '../registry/index.ts'
import { forbidden, type KubeObject } from '../../kube/index.ts'
import { nodeNameOf, nodeOfUser } from './node-authorizer.ts'

/**
 * Nodes may change only their own Node, CSINode and Lease, and only the pods bound to them
 * (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction).
 */
export function nodeRestrictionAdmitter(reader: Reader): Admitter {
  return {
    name: 'NodeRestriction',
    // Before quota charges what a node may not create at all.
    mutate(admission) {
      check(admission)
    },
    // What is deleted has no mutating steps.
    validate(admission) {
      check(admission)
    },
  }

  function check(admission: Admission): void {
    const node = nodeOfUser(admission.request.user)
    if (node === undefined) return
    const { resource } = admission.request
    const kind = `${resource.group}/${resource.plural}`
    if (kind === '/pods') checkPod(admission, node)
    else if (kind === '/nodes') checkNode(admission, node)
    else if (kind === 'coordination.k8s.io/leases') checkLease(admission, node)
    else if (kind === 'storage.k8s.io/csinodes') checkCsiNode(admission, node)
  }

  function checkPod(admission: Admission, node: string): void {
    const { request, operation, oldObject } = admission
    if (operation === 'CREATE' && !request.subresource) {
      // Mirrors of pods from files are the only pods a node makes, and this cluster has none.
      throw refuse(
        admission,
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      )
    }
    const pod = oldObject ?? reader.get('/pods', request.namespace, request.name ?? '')
    if (!pod || nodeNameOf(pod) === node) return
    const what =
      operation === 'DELETE'
        ? 'delete'
        : request.subresource === 'eviction'
          ? 'evict'
          : `update ${request.subresource || 'spec'} of`
    throw refuse(
      admission,
      `node ${JSON.stringify(node)} can only ${what} pods with spec.nodeName set to itself`,
    )
  }

  function checkNode(admission: Admission, node: string): void {
    const name = admission.request.name ?? admission.object?.metadata.name
    if (name !== node)
      throw refuse(
        admission,
        `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name ?? '')}`,
      )
    const { object, oldObject, operation } = admission
    if (operation === 'DELETE' || !object) return
    if (oldObject && !sameTaints(object, oldObject))
      throw refuse(admission, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  }

  function checkLease(admission: Admission, node: string): void {
    const { request, object } = admission
    const name = request.name ?? object?.metadata.name
    if (request.namespace !== 'kube-node-lease' || name !== node)
      throw refuse(admission, 'can only access node lease with the same name as the requesting node')
  }

  function checkCsiNode(admission: Admission, node: string): void {
    const name = admission.request.name ?? admission.object?.metadata.name
    if (name !== node)
      throw refuse(admission, 'can only access CSINode with the same name as the requesting node')
  }
}

function refuse(admission: Admission, why: string): Error {
  const { resource, name } = admission.request
  return forbidden(
    {
      kind: resource.plural,
      group: resource.group,
      name: name ?? admission.object?.metadata.name ?? '',
    },
    why,
  )
}

function sameTaints(object: KubeObject, oldObject: KubeObject): boolean {
  return JSON.stringify(taintsOf(object)) === JSON.stringify(taintsOf(oldObject))
}

function taintsOf(node: KubeObject): unknown {
  const spec = node.spec
  return (typeof spec === 'object' && spec !== null && 'taints' in spec && spec.taints) || []
}
