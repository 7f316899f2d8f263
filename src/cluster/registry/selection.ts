import {
  badRequest,
  type FieldRequirement,
  type KubeObject,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from '../../kube/index.ts'
import type { ResourceDefinition } from './resource.ts'

/** Which objects of a kind a list or watch is about. */
export interface Selection {
  matches(object: KubeObject): boolean
  /** `metadata.name=X` as the only field requirement: at most one object. */
  readonly name: string | undefined
  readonly isEverything: boolean
}

const everything: Selection = { matches: () => true, name: undefined, isEverything: true }

/**
 * Reads a request's selectors.
 *
 * @throws {StatusError} `BadRequest` for a selector that does not parse or a field that the kind does not offer.
 */
export function parseSelection(
  resource: ResourceDefinition,
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Selection {
  if (!labelSelector && !fieldSelector) return everything
  const labels = parse(() => parseLabelSelector(labelSelector ?? ''))
  const fields = parse(() => parseFieldSelector(fieldSelector ?? ''))
  for (const { field } of fields) {
    if (valueOf(resource, field) === undefined) throw badRequest(unsupported(resource, field))
  }
  return {
    name: fields.length === 1 ? nameIn(fields[0]) : undefined,
    isEverything: false,
    matches: (object) => matchesLabelsOf(labels, object) && matchesFieldsOf(resource, fields, object),
  }
}

/** Kinds that offer fields of their own say so in their own words, all others in those of the API machinery. */
function unsupported({ selectableFields, isCustom, group, kind }: ResourceDefinition, field: string): string {
  if (group === 'batch' && selectableFields)
    return `field label ${JSON.stringify(field)} not supported for batchv1.${kind}`
  return selectableFields || isCustom
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
}

function nameIn(requirement: FieldRequirement | undefined): string | undefined {
  return requirement?.field === 'metadata.name' && requirement.operator !== '!='
    ? requirement.value
    : undefined
}

function parse<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message)
    throw error
  }
}

function matchesLabelsOf(selector: LabelSelector, object: KubeObject): boolean {
  return matchesLabels(selector, object.metadata.labels ?? {})
}

function matchesFieldsOf(
  resource: ResourceDefinition,
  fields: readonly FieldRequirement[],
  object: KubeObject,
): boolean {
  return fields.length === 0 || matchesFields(fields, (field) => valueOf(resource, field)?.(object) ?? '')
}

function valueOf(resource: ResourceDefinition, field: string): ((object: KubeObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name ?? ''
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? ''
  return resource.selectableFields?.[field]
}
