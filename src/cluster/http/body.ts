import { badRequest, type JsonObject, type KubeObject } from '../../kube/index.ts'
import { apiVersionOf, type ResourceDefinition, type ResourceRequest } from '../registry/index.ts'

/** Reads the object of a create or update. */
export function decodeObject(
  text: string,
  _encoding: 'json' | 'yaml',
  resource: Pick<ResourceDefinition, 'kind' | 'group' | 'version'>,
  _request: Pick<ResourceRequest, 'warn' | 'fieldValidation'>,
): KubeObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest('not json')
  }
  const object = value as KubeObject
  if (object.apiVersion && object.apiVersion !== apiVersionOf(resource)) throw badRequest('kind')
  return object
}

export function decodeOptions(text: string): JsonObject | undefined {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    throw badRequest('not json')
  }
}
