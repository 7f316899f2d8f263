/** All ways to patch an object, and who owns which of its fields. Pure: nothing is read or written but what is passed. */
import {
  type Json,
  type JsonObject,
  type KubeObject,
  type ManagedFieldsEntry,
  type StatusCause,
  StatusError,
  exactJsonText,
} from '../../../kube/index.ts'
import { shown } from '../faults.ts'
import { plainFailure } from '../plain-failure.ts'
import { DecodingError, type FieldValidation, strictFaults, type Target } from '../schema/index.ts'
import { applyObject } from './apply.ts'
import { goFormat } from './go-format.ts'
import { jsonPatch } from './json-patch.ts'
import { asJson, setEntries, type Writing } from './managed-fields.ts'
import { mergePatch } from './merge-patch.ts'
import type { ParsedPatch } from './parse.ts'
import { isEqual } from './put.ts'
import { shaped } from './shaped.ts'
import { strategicPatch } from './strategic.ts'

export { jsonPatch } from './json-patch.ts'
export { updateManagedFields, type Writing } from './managed-fields.ts'
export { mergeConfiguration, MutationError, patchOperations } from './mutation.ts'
export { checkPatchOptions, type ParsedPatch, parsePatch, patchKind } from './parse.ts'

/** What a patch is applied with. A resource definition serves as `resource`. */
export interface Patching {
  readonly resource: Target & Pick<Writing['resource'], 'hasStatus' | 'versionSchemas'>
  readonly manager: string
  readonly subresource?: string
  readonly validation: FieldValidation
  /** Server-side apply only: take fields over from managers that disagree. */
  readonly force?: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface Patched {
  readonly object: KubeObject
  /** For the `Warning` headers. */
  readonly warnings: readonly string[]
  /** True when `managedFields` of the object are right already, as server-side apply leaves them. */
  readonly managesFields: boolean
}

/**
 * Applies a patch: the patched object in the form of its kind, without defaults of built-in kinds, before admission.
 *
 * @param current with kind and apiVersion. The caller's own copy: parts of it may end up in the result. Undefined when
 *   there is no such object, which only server-side apply can do something with.
 * @throws {StatusError} `Invalid`, `BadRequest` or `Conflict`, as the API server does.
 */
export function applyPatch(patch: ParsedPatch, current: KubeObject | undefined, patching: Patching): Patched {
  if (patch.is === 'apply') return applied(patch, current, patching)
  if (!current) throw new Error(`a ${patch.is} patch needs an object`)
  const target = asJson(current)
  switch (patch.is) {
    case 'json': {
      const result = jsonPatch(target, patch.operations)
      return decoded(result, patch, patching, () => exactJsonText(result))
    }
    case 'merge': {
      const result = mergePatch(target, patch.value)
      return decoded(result, patch, patching, () => exactJsonText(result))
    }
    case 'strategic':
      return decoded(strategicPatch(target, patch.value, patching.resource.schema), patch, patching, () =>
        goFormat(patch.value),
      )
    default:
      throw new Error('unknown kind of patch')
  }
}

function applied(
  patch: Extract<ParsedPatch, { value: JsonObject }>,
  current: KubeObject | undefined,
  patching: Patching,
): Patched {
  const object = applyObject(current, patch.value, { ...patching, force: patching.force === true })
  const { managedFields } = object.metadata
  try {
    const { value } = shaped(asJson(object), patching, 'map')
    const result = value as unknown as KubeObject
    setEntries(result, settled(result, managedFields, current))
    return { object: result, warnings: patch.faults, managesFields: true }
  } catch (error) {
    if (error instanceof DecodingError) throw plainFailure(error.message)
    throw error
  }
}

/** Entries that differ from the live ones by nothing but their times, on an object that is as it was, are as they were. */
function settled(
  result: KubeObject,
  entries: ManagedFieldsEntry[] | undefined,
  current: KubeObject | undefined,
): ManagedFieldsEntry[] | undefined {
  const live = current?.metadata.managedFields
  if (!current || !entries || !live || live.length !== entries.length) return entries
  const timeless = (list: ManagedFieldsEntry[]): Json[] =>
    list
      .map(({ time: _time, ...entry }) => entry as JsonObject)
      .sort((a, b) => (entryKey(a) < entryKey(b) ? -1 : 1))
  const bare = (object: KubeObject): JsonObject => {
    const { managedFields: _entries, ...metadata } = object.metadata
    return asJson({ ...object, metadata })
  }
  return isEqual(timeless(entries), timeless(live)) && isEqual(bare(result), bare(current)) ? live : entries
}

function entryKey({ manager, operation, subresource, apiVersion }: JsonObject): string {
  return JSON.stringify([manager, operation, subresource, apiVersion])
}

function decoded(
  result: JsonObject,
  patch: ParsedPatch,
  patching: Patching,
  shownPatch: () => string,
): Patched {
  let unknown: readonly string[]
  // Decoding drops unknown fields in place; the message of a strict refusal shows them.
  const before = patching.validation === 'Strict' && patch.is !== 'strategic' ? shownPatch() : undefined
  try {
    unknown = shaped(result, patching, patch.is === 'strategic' ? 'map' : 'json').unknown
  } catch (error) {
    if (error instanceof DecodingError) throw badPatch(before ?? shownPatch(), error.message)
    throw error
  }
  const faults = patching.validation === 'Ignore' ? [] : [...patch.faults, ...strictFaults([], unknown)]
  if (patching.validation === 'Strict' && faults.length > 0)
    throw badPatch(before ?? shownPatch(), `strict decoding error: ${faults.join(', ')}`)
  return { object: result as unknown as KubeObject, warnings: faults, managesFields: false }
}

/** `Invalid` of no object in particular. */
function badPatch(patch: string, why: string): StatusError {
  const cause: StatusCause = {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${shown(patch)}: ${why}`,
    field: 'patch',
  }
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: ` "" is invalid: patch: ${cause.message ?? ''}`,
    reason: 'Invalid',
    details: { causes: [cause] },
    code: 422,
  })
}
