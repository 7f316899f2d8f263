import type { KubeObject } from '../../kube/index.ts'
import { type Encoded, type ResourceDefinition, typed } from '../registry/index.ts'

/** In tests: whoever changes what belongs to everybody fails there, and not at a user's. */
const isFrozen = process.env['NODE_ENV'] === 'test'

/** An object as readers in this process share it with the store: the same one for all of them, never to be changed. */
export function sharedObject(definition: ResourceDefinition, stored: Encoded): KubeObject {
  const { value } = stored
  if (isFrozen) freeze(value)
  if (definition.isCustom) return typed(definition, value)
  return definition.convert ? definition.convert.fromStored(value) : value
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}
