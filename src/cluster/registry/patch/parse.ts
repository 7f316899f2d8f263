import {
  badRequest,
  invalid,
  type Json,
  type JsonObject,
  unsupportedMediaType,
  parseExactJson,
  NumberRangeError,
} from '../../../kube/index.ts'
import { forbiddenField, required } from '../faults.ts'
import {
  countKeys,
  duplicateKeys,
  type FieldValidation,
  kindOf,
  measure,
  parseYaml,
  type YamlBody,
  yamlErrors,
  syntaxErrorOf,
} from '../schema/index.ts'
import { maxDepth, tooDeep } from '../schema/go-json.ts'
import { asOperations, jsonPatchFaults } from './json-patch.ts'
import { isObject } from './put.ts'

/** A patch body, read but not yet applied: it can be applied again when another write came between. */
export type ParsedPatch =
  | { readonly is: 'json'; readonly operations: readonly Json[]; readonly faults: readonly string[] }
  | {
      readonly is: 'merge' | 'strategic' | 'apply'
      readonly value: JsonObject
      readonly faults: readonly string[]
    }

const kinds: Readonly<Record<string, ParsedPatch['is']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

/**
 * The kind of patch that a content type stands for.
 *
 * @throws {StatusError} `UnsupportedMediaType`; custom resources know no strategic merge patch.
 */
export function patchKind(contentType: string, options: { isCustom: boolean }): ParsedPatch['is'] {
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const kind = Object.hasOwn(kinds, mediaType) ? kinds[mediaType] : undefined
  if (kind && !(options.isCustom && kind === 'strategic')) return kind
  if (!options.isCustom) throw unsupportedMediaType('415: Unsupported Media Type', {})
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  )
}

/**
 * Refuses options that do not go with the kind of patch.
 *
 * @param options as in the query, before any default is filled in.
 * @throws {StatusError} `Invalid`.
 */
export function checkPatchOptions(
  kind: ParsedPatch['is'],
  options: { fieldManager?: string | undefined; force?: boolean | undefined },
): void {
  const faults = []
  if (kind === 'apply') {
    if (!options.fieldManager) faults.push(required('fieldManager', 'is required for apply patch'))
  } else if (options.force !== undefined)
    faults.push(forbiddenField('force', 'may not be specified for non-apply patch'))
  if (faults.length > 0) throw invalid({ kind: 'PatchOptions', group: 'meta.k8s.io' }, faults)
}

/**
 * Reads a patch body.
 *
 * @throws {StatusError} `BadRequest` for a text that is none.
 */
export async function parsePatch(
  kind: ParsedPatch['is'],
  body: Uint8Array | string,
  validation: FieldValidation,
): Promise<ParsedPatch> {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  if (kind === 'apply') return parseApply(text, validation)
  const prefix = kind === 'strategic' ? '' : 'error decoding patch: '
  const value = parseJson(text, prefix)
  if (kind === 'json') {
    const operations = asOperations(value)
    return { is: kind, operations, faults: validation === 'Ignore' ? [] : jsonPatchFaults(text, operations) }
  }
  if (!isObject(value))
    throw badRequest(
      `${prefix}json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
    )
  const hasDuplicates = validation !== 'Ignore' && measure(text).keys !== countKeys(value)
  const faults = hasDuplicates
    ? duplicateKeys(text).map((path) => `duplicate field ${JSON.stringify(path)}`)
    : []
  return { is: kind, value, faults }
}

function parseJson(text: string, prefix: string): Json {
  let value: Json
  try {
    value = parseExactJson(text)
  } catch (error) {
    if (error instanceof NumberRangeError) throw badRequest(`${prefix}${error.message}`)
    throw badRequest(`${prefix}${syntaxErrorOf(text)}`)
  }
  if (measure(text).depth > maxDepth) throw badRequest(`${prefix}${tooDeep}`)
  return value
}

async function parseApply(text: string, validation: FieldValidation): Promise<ParsedPatch> {
  let read: YamlBody
  try {
    read = await parseYaml(text)
  } catch (error) {
    throw badRequest(
      `error decoding YAML: error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const value = read.value ?? {}
  if (!isObject(value))
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
    )
  if (validation === 'Strict' && read.duplicates.length > 0)
    throw badRequest(
      `error strict decoding YAML: error converting YAML to JSON: ${yamlErrors(read.duplicates)}`,
    )
  return { is: 'apply', value, faults: validation === 'Ignore' ? [] : read.duplicates }
}
