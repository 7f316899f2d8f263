import { decodeBody, schemaFor, type Target } from '../registry/schema/index.ts'
import type { JsonObject, KubeObject } from '../../kube/index.ts'
import type { ResourceRequest } from '../registry/index.ts'

/**
 * The object of a create or update, in the shape of its kind; what the request's validation only warns of becomes a
 * warning.
 *
 * @throws {StatusError} `BadRequest`, in the words of Kubernetes' decoder.
 */
export async function decodeObject(
  text: string,
  encoding: 'json' | 'yaml',
  target: Target,
  request: Pick<ResourceRequest, 'warn' | 'fieldValidation'>,
): Promise<KubeObject> {
  const { object, warnings } = await decodeBody(text, target, {
    validation: request.fieldValidation,
    mediaType: `application/${encoding}`,
  })
  for (const warning of warnings) request.warn(warning)
  return object
}

/**
 * `DeleteOptions`, if the request has any.
 *
 * @throws {StatusError} `BadRequest`.
 */
export async function decodeDeleteOptions(
  text: string,
  encoding: 'json' | 'yaml',
): Promise<JsonObject | undefined> {
  if (text.trim() === '') return undefined
  const target = {
    group: '',
    version: 'v1',
    kind: 'DeleteOptions',
    schema: schemaFor('', 'v1', 'DeleteOptions'),
  }
  const { object } = await decodeBody(text, target, {
    validation: 'Ignore',
    mediaType: `application/${encoding}`,
  })
  return Object.fromEntries(Object.entries(object)) as JsonObject
}
