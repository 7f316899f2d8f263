import {
  badRequest,
  type JsonObject,
  type KubeObject,
  parseExactJson,
  NumberRangeError,
} from '../../../kube/index.ts'
import { builtinSchemas, schemaName } from './builtin.ts'
import { decodeCustom } from './decode-custom.ts'
import { DecodingError, decodeValue } from './decode-value.ts'
import { kindOf } from './mismatch-words.ts'
import { maxDepth, syntaxErrorOf, tooDeep } from './go-json.ts'
import { countKeys, duplicateKeys, keyFaults, measure } from './json-keys.ts'
import { withLiterals } from './number-literals.ts'
import type { Schema } from './schema.ts'
import { type Shape, shapeOf } from './shape.ts'
import { parseYaml, type YamlBody, yamlErrors } from './yaml.ts'

/** What a body is to become. Resource definitions and virtual resources are such. */
export interface Target {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
  readonly isCustom?: boolean
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface Decoded {
  readonly object: KubeObject
  /** For the `Warning` headers: `unknown field "spec.nonsense"`. Empty unless the validation is `Warn`. */
  readonly warnings: readonly string[]
}

/**
 * Turns a request body into an object of the target's kind, as the API server's decoder does: unknown fields dropped
 * and reported, nulls dropped, quantities and times canonical; for custom resources pruned and with its defaults.
 *
 * @throws {StatusError} `BadRequest` with the API server's words; `Invalid` for a custom resource of a wrong kind.
 */
export async function decodeBody(
  body: Uint8Array | string,
  target: Target,
  options: { validation: FieldValidation; mediaType?: string },
): Promise<Decoded> {
  const text = textOf(body)
  if (!options.mediaType?.includes('yaml')) return decodeJson(text, target, options.validation)
  let read: YamlBody
  try {
    read = await parseYaml(text)
  } catch (error) {
    throw unrecognized(target, text, error instanceof Error ? error.message : String(error))
  }
  return decodeParsed(text, read.value, target, {
    validation: options.validation,
    duplicates: read.duplicates,
    isJson: false,
  })
}

/**
 * {@link decodeBody} for a JSON text, without waiting.
 *
 * @throws {StatusError} as there.
 */
export function decodeJson(text: string, target: Target, validation: FieldValidation): Decoded {
  let value: unknown
  try {
    value = parseExactJson(text)
  } catch (error) {
    if (error instanceof NumberRangeError) throw outOfRange(text, target, error)
    throw unrecognized(target, text, `couldn't get version/kind; json parse error: ${syntaxErrorOf(text)}`)
  }
  const { keys, depth } = measure(text)
  if (depth > maxDepth)
    throw unrecognized(target, text, `couldn't get version/kind; json parse error: ${tooDeep}`)
  const duplicates =
    validation !== 'Ignore' && keys !== countKeys(value as JsonObject)
      ? duplicateKeys(text).map((path) => `duplicate field ${JSON.stringify(path)}`)
      : []
  const literals = target.isCustom || !isKindOfText(value) ? undefined : withLiterals(text)
  return decodeParsed(text, literals === undefined ? value : JSON.parse(literals), target, {
    validation,
    duplicates,
    isJson: true,
    hasLiterals: literals !== undefined,
  })
}

/** What says with numbers of what kind it is will be refused, and shows them. */
function isKindOfText(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { apiVersion, kind } = value as JsonObject
  return typeof apiVersion !== 'number' && typeof kind !== 'number'
}

function textOf(body: Uint8Array | string): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body)
}

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

interface Strictness {
  readonly validation: FieldValidation
  readonly duplicates: readonly string[]
  readonly isJson: boolean
  readonly hasLiterals?: boolean
}

function decodeParsed(text: string, value: unknown, target: Target, strictness: Strictness): Decoded {
  const body = bodyObject(text, value, target)
  const gvk = typeOf(text, body, target)
  const refuse = (why: string): never => {
    throw badRequest(`${gvk.kind} in version "${gvk.version}" cannot be handled as a ${target.kind}: ${why}`)
  }
  let decoded: { value: JsonObject; unknown: readonly string[] }
  try {
    if (target.isCustom) decoded = decodeCustom(body, target, gvk)
    else {
      checkKind(gvk, target, refuse)
      const { hasLiterals = false } = strictness
      decoded = decodeValue(body, targetShape(target), 'json', { hasLiterals })
    }
  } catch (error) {
    if (error instanceof DecodingError) return refuse(error.message)
    throw error
  }
  const { validation, duplicates, isJson } = strictness
  const faults = validation === 'Ignore' ? [] : faultsOf(text, strictness, decoded.unknown, target)
  if (validation === 'Strict' && faults.length > 0) {
    // Duplicate keys of a YAML text come first, as one error.
    const isYamlError = !isJson && duplicates.length > 0
    const errors = isYamlError ? [yamlErrors(duplicates), ...faults.slice(duplicates.length)] : faults
    refuse(`strict decoding error: ${errors.join(', ')}`)
  }
  // The shape has just been brought about.
  return { object: decoded.value as unknown as KubeObject, warnings: faults }
}

/**
 * The findings of strict decoding. Of a built-in kind one decoder reports them all, in the order of the text; YAML comes
 * to it as JSON with its keys sorted.
 */
function faultsOf(
  text: string,
  { duplicates, isJson }: Strictness,
  unknown: readonly string[],
  target: Target,
): string[] {
  if (!isJson && !target.isCustom) return strictFaults(duplicates, [...unknown].sort(bySortedKeys))
  if (target.isCustom || duplicates.length === 0 || unknown.length === 0)
    return strictFaults(duplicates, unknown)
  return keyFaults(text, new Set(unknown)).map(({ is, path }) => `${is} field ${JSON.stringify(path)}`)
}

/** The order in which one comes by two paths who goes through all keys sorted. */
function bySortedKeys(one: string, other: string): number {
  const [left, right] = [one, other].map((path) => path.split(/[.[\]]+/))
  for (const [index, step] of (left ?? []).entries()) {
    const against = right?.[index] ?? ''
    if (step === against) continue
    if (/^\d+$/.test(step) && /^\d+$/.test(against)) return Number(step) - Number(against)
    return step < against ? -1 : 1
  }
  return 0
}

/** How strict decoding words its findings. */
export function strictFaults(duplicates: readonly string[], unknown: readonly string[]): string[] {
  return [...duplicates, ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`)]
}

/** The shape of a built-in target. */
export function targetShape(target: Target): Shape {
  return shapeOf(builtinSchemas.resolve(target.schema), target.kind)
}

function bodyObject(text: string, value: unknown, target: Target): JsonObject {
  if (value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject
  throw unrecognized(
    target,
    text,
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(value as JsonObject)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
  )
}

/** Kind and version that the body states, those of the target where it states none. */
function typeOf(text: string, body: JsonObject, target: Target): GroupVersionKind {
  for (const field of ['apiVersion', 'kind']) {
    const stated = body[field]
    if (stated !== undefined && stated !== null && typeof stated !== 'string')
      throw unrecognized(
        target,
        text,
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(stated)} into Go struct field .${field} of type string`,
      )
  }
  const apiVersion = (body['apiVersion'] as string | null | undefined) ?? ''
  const kind = (body['kind'] as string | null | undefined) ?? ''
  if (target.isCustom && kind === '')
    throw unrecognized(target, text, `Object 'Kind' is missing in '${text}'`)
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw unrecognized(target, text, `unexpected GroupVersion string: ${apiVersion}`)
  const [group, version] = parts.length === 2 ? parts : ['', apiVersion]
  const isStated = apiVersion !== '' && apiVersion !== '/'
  return {
    kind: kind || target.kind,
    group: isStated || target.isCustom ? (group ?? '') : target.group,
    version: isStated || target.isCustom ? (version ?? '') : target.version,
  }
}

function checkKind(gvk: GroupVersionKind, target: Target, refuse: (why: string) => never): void {
  if (gvk.kind === target.kind && gvk.group === target.group && gvk.version === target.version) return
  // Options are registered in every group.
  if (target.kind === 'DeleteOptions' && gvk.kind === target.kind) return
  if (schemaName(gvk.group, gvk.version, gvk.kind) === undefined)
    refuse(
      `no kind "${gvk.kind}" is registered for version "${versionOf(gvk)}" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    )
  if (gvk.kind === target.kind)
    throw badRequest(
      `the API version in the data (${versionOf(gvk)}) does not match the expected API version (${versionOf(target)})`,
    )
  refuse(
    `converting (${gvk.version}.${gvk.kind}) to (${goPackage(target.group)}.${target.kind}): unknown conversion`,
  )
}

/** The Go package of a group's internal types. */
function goPackage(group: string): string {
  return group === '' || group === 'events.k8s.io' ? 'core' : (group.split('.')[0] ?? group)
}

/** `batch/v1`, and `v1` for the core group. */
function versionOf(gvk: { group: string; version: string }): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`
}

/** The refusal of a body whose kind can be read, with a number in it that cannot. */
function outOfRange(text: string, target: Target, { message }: NumberRangeError): Error {
  const gvk = typeOf(text, bodyObject(text, JSON.parse(text), target), target)
  return badRequest(
    `${gvk.kind} in version "${gvk.version}" cannot be handled as a ${target.kind}: ${message}`,
  )
}

/** The refusal of a body of which not even the kind could be read. Shows the beginning of the body as Kubernetes does. */
function unrecognized(target: Target, text: string, why: string): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${target.kind}): ${why} (${summary(text)})`,
  )
}

function summary(text: string): string {
  const bytes = new TextEncoder().encode(text.slice(0, 64))
  if (bytes.length === 0) return '<empty>'
  const isLong = bytes.length > 30
  const shown = text.startsWith('{')
    ? new TextDecoder().decode(bytes.subarray(0, 30))
    : Buffer.from(bytes.subarray(0, 30)).toString('hex')
  return isLong ? `${shown} ...` : shown
}
