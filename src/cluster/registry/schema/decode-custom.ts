import { badRequest, invalid, type Json, type JsonObject } from '../../../kube/index.ts'
import { invalidValue } from '../faults.ts'
import { schemaFor, builtinSchemas } from './builtin.ts'
import { DecodingError, decodeValue } from './decode-value.ts'
import { kindOf } from './mismatch-words.ts'
import { applyDefaults } from './defaulting.ts'
import { decodeEmbedded } from './embedded.ts'
import { prune } from './prune.ts'
import type { Schema } from './schema.ts'
import { type Shape, shapeOf } from './shape.ts'

interface Expected {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
}

/**
 * Brings a custom resource into the form of its schema, in place: metadata as built-in kinds have it, the rest pruned
 * and given its defaults.
 *
 * @throws {DecodingError} for metadata of a wrong type.
 * @throws {StatusError} for an object of another version or kind.
 */
export function decodeCustom(
  body: JsonObject,
  target: Expected,
  stated: { group: string; version: string; kind: string },
): { value: JsonObject; unknown: string[] } {
  const expected = `${target.group}/${target.version}`
  const found = stated.group === '' ? stated.version : `${stated.group}/${stated.version}`
  if (found !== expected)
    throw badRequest(
      `the API version in the data (${found}) does not match the expected API version (${expected})`,
    )
  const unknown = decodeMetadata(body, 'metadata')
  if (stated.kind !== target.kind)
    throw invalid({ kind: target.kind, group: target.group, name: nameOf(body) }, [
      invalidValue('kind', stated.kind, `must be ${target.kind}`),
    ])
  const pruned = prune(body, target.schema)
  const embedded = decodeEmbedded(body, target.schema, metadataShape())
  applyDefaults(body, target.schema)
  return { value: body, unknown: [...unknown, ...pruned, ...embedded] }
}

/** Decodes `metadata` of a custom resource. Answers the paths of fields that metadata does not have. */
function decodeMetadata(body: JsonObject, path: string): string[] {
  const metadata: Json | undefined = body['metadata']
  if (metadata === undefined) return []
  if (metadata === null) {
    delete body['metadata']
    return []
  }
  if (typeof metadata !== 'object' || Array.isArray(metadata))
    throw new DecodingError(
      `json: cannot unmarshal ${kindOf(metadata)} into Go struct field ObjectMeta.metadata of type v1.ObjectMeta`,
    )
  return decodeValue(metadata, metadataShape()).unknown.map((field) => `${path}.${field}`)
}

/** The shape of object metadata, which custom resources share with the built-in kinds. */
function metadataShape(): Shape {
  return shapeOf(metadataSchema(), 'ObjectMeta')
}

export function metadataSchema(): Schema {
  return builtinSchemas.resolve(schemaFor('', 'v1', 'Pod').properties?.['metadata'] ?? {})
}

function nameOf(body: JsonObject): string {
  const metadata = body['metadata']
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return ''
  return typeof metadata['name'] === 'string' ? metadata['name'] : ''
}
