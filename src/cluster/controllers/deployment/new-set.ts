import type { ObjectMeta, ReplicaSet } from '../../../kube/index.ts'
import { newestAnnotations, revisionAfter } from './annotations.ts'
import { newestSize, sizeNotes } from './sizes.ts'
import { type Generation, hashLabel, type Owner, ownKind, templateHash } from './template.ts'

interface NewSet extends ReplicaSet {
  metadata: ObjectMeta & { name: string; annotations: Record<string, string> }
}

/** The replica set for a template that has none yet, beside the others of its deployment. */
export function newSet(owner: Owner, others: readonly Generation[]): NewSet {
  const { name, namespace = '', uid } = owner.metadata
  const { selector = {}, template = {}, minReadySeconds = 0 } = owner.spec ?? {}
  const hash = templateHash(template, owner.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const revision = revisionAfter(others)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { ...newestAnnotations(owner, revision, undefined), ...sizeNotes(owner) },
      ownerReferences: [{ ...ownKind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: newestSize(owner, others, 0),
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}
