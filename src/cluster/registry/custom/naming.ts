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

/** The names that a CRD gets beside those that others of its group hold: each that is free. The last conflict is told. */
function acceptedNames(
  wanted: CustomResourceDefinitionNames,
  accepted: CustomResourceDefinitionNames | undefined,
  others: readonly CustomResourceDefinitionNames[],
): { readonly names: CustomResourceDefinitionNames; readonly conflict: Conflict | undefined } {
  const resources = new Set(others.flatMap((one) => [one.plural, one.singular, ...(one.shortNames ?? [])]))
  const kinds = new Set(others.flatMap((one) => [one.kind, one.listKind]))
  const names: CustomResourceDefinitionNames = { plural: '', kind: '', ...accepted }
  let conflict: Conflict | undefined
  const take = (
    field: 'plural' | 'singular' | 'shortNames' | 'kind' | 'listKind',
    reason: string,
    taken: ReadonlySet<string | undefined>,
  ): void => {
    const asked = wanted[field]
    if (asked === undefined || asked === accepted?.[field]) return
    const refused = [asked].flat().filter((name) => name && taken.has(name))
    if (refused.length === 0) {
      Object.assign(names, { [field]: asked })
      return
    }
    const faults = refused.map((name) => `${JSON.stringify(name)} is already in use`)
    conflict = { reason, message: faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]` }
  }
  take('plural', 'PluralConflict', resources)
  take('singular', 'SingularConflict', resources)
  take('shortNames', 'ShortNamesConflict', resources)
  take('kind', 'KindConflict', kinds)
  take('listKind', 'ListKindConflict', kinds)
  if (wanted.categories) names.categories = wanted.categories
  return { names: conflict ? names : wanted, conflict }
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
    if (isOther && other.spec.group === crd.spec.group && other.status?.acceptedNames) {
      held.push(other.status.acceptedNames)
    }
  }
  const { names, conflict } = acceptedNames(crd.spec.names, crd.status?.acceptedNames, held)
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
  status = { ...status, acceptedNames: names }
  return JSON.stringify(status) === JSON.stringify(crd.status) ? undefined : status
}

/** Are objects of this kind served? Established once, a CRD stays so until it is gone. */
export function isEstablished(crd: CustomResourceDefinition): boolean {
  return condition(crd.status, 'Established')?.status === 'True'
}
