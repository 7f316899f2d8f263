import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from 'kubernetes-types/apiextensions/v1.js'

type Status = CustomResourceDefinitionStatus | undefined

export function condition(status: Status, type: string): CustomResourceDefinitionCondition | undefined {
  return status?.conditions?.find((one) => one.type === type)
}

/** The status with a condition set; the time of the last change is kept while the condition says the same. */
export function withCondition(
  status: Status,
  wanted: CustomResourceDefinitionCondition,
): CustomResourceDefinitionStatus {
  const conditions = status?.conditions ?? []
  const before = conditions.find((one) => one.type === wanted.type)
  const next =
    before?.status === wanted.status && before.lastTransitionTime !== undefined
      ? { ...wanted, lastTransitionTime: before.lastTransitionTime }
      : wanted
  return {
    acceptedNames: status?.acceptedNames ?? { plural: '', kind: '' },
    storedVersions: status?.storedVersions ?? [],
    conditions:
      before === undefined ? [...conditions, next] : conditions.map((one) => (one === before ? next : one)),
  }
}

interface Conflict {
  readonly reason: string
  readonly message: string
}

/** Names of the same group that others hold. */
function conflictOf(
  names: CustomResourceDefinitionNames,
  others: readonly CustomResourceDefinitionNames[],
): Conflict | undefined {
  const resources = new Set(others.flatMap((one) => [one.plural, one.singular, ...(one.shortNames ?? [])]))
  const kinds = new Set(others.flatMap((one) => [one.kind, one.listKind]))
  const taken = (reason: string, name: string): Conflict => ({
    reason,
    message: `${JSON.stringify(name)} is already in use`,
  })
  if (resources.has(names.plural)) return taken('PluralConflict', names.plural)
  if (names.singular && resources.has(names.singular)) return taken('SingularConflict', names.singular)
  for (const name of names.shortNames ?? []) if (resources.has(name)) return taken('ShortNamesConflict', name)
  if (kinds.has(names.kind)) return taken('KindConflict', names.kind)
  if (names.listKind && kinds.has(names.listKind)) return taken('ListKindConflict', names.listKind)
  return undefined
}

/**
 * The status that a CRD should have beside the others: its names accepted and established, unless another of the group
 * holds one of them. Undefined when it has it.
 */
export function establishedStatus(
  crd: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  time: string,
): CustomResourceDefinitionStatus | undefined {
  const held: CustomResourceDefinitionNames[] = []
  for (const other of others) {
    const isOther = other.metadata?.name !== crd.metadata?.name
    if (isOther && other.spec.group === crd.spec.group && other.status?.acceptedNames?.plural) {
      held.push(other.status.acceptedNames)
    }
  }
  const conflict = conflictOf(crd.spec.names, held)
  let status = withCondition(crd.status, {
    type: 'NamesAccepted',
    status: conflict === undefined ? 'True' : 'False',
    reason: conflict?.reason ?? 'NoConflicts',
    message: conflict?.message ?? 'no conflicts found',
    lastTransitionTime: time,
  })
  const wasEstablished = condition(crd.status, 'Established')?.status === 'True'
  if (conflict === undefined || !wasEstablished) {
    status = withCondition(status, {
      type: 'Established',
      status: conflict === undefined ? 'True' : 'False',
      reason: conflict === undefined ? 'InitialNamesAccepted' : 'NotAccepted',
      message: conflict === undefined ? 'the initial names have been accepted' : 'not all names are accepted',
      lastTransitionTime: time,
    })
  }
  if (conflict === undefined) status = { ...status, acceptedNames: crd.spec.names }
  return JSON.stringify(status) === JSON.stringify(crd.status) ? undefined : status
}

/** Are objects of this kind served? Established once, a CRD stays so until it is gone. */
export function isEstablished(crd: CustomResourceDefinition): boolean {
  return condition(crd.status, 'Established')?.status === 'True'
}
