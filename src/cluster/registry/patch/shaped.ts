import type { JsonObject } from '../../../kube/index.ts'
import { decodeCustom, DecodingError, decodeValue, type Target, targetShape } from '../schema/index.ts'
import { goFormat } from './go-format.ts'
import { apiVersionOf, type Writing } from './managed-fields.ts'

/**
 * The outcome of a patch in the form of its kind, in place.
 *
 * @throws {DecodingError} for values of a wrong type and for objects of another kind.
 */
export function shaped(
  object: JsonObject,
  { resource }: { readonly resource: Target & Writing['resource'] },
  wording: 'json' | 'map',
): { value: JsonObject; unknown: readonly string[] } {
  const metadata = object['metadata']
  if (metadata === undefined || metadata === null) object['metadata'] = {}
  const kind = object['kind']
  const apiVersion = object['apiVersion']
  if (resource.isCustom) {
    const [group, version] = typeof apiVersion === 'string' ? apiVersion.split('/') : []
    return decodeCustom(object, resource, {
      group: group ?? '',
      version: version ?? '',
      kind: typeof kind === 'string' ? kind : '',
    })
  }
  if (
    (kind ?? resource.kind) !== resource.kind ||
    (apiVersion ?? apiVersionOf({ resource })) !== apiVersionOf({ resource })
  )
    throw new DecodingError(
      `unable to decode ${goFormat(apiVersion)}, Kind=${goFormat(kind)} into ${apiVersionOf({ resource })}, Kind=${resource.kind}`,
    )
  return decodeValue(object, targetShape(resource), wording)
}
