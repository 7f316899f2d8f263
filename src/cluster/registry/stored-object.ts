import { type KubeObject, exactJsonText, parseExactJson } from '../../kube/index.ts'
import type { ResourceDefinition } from './resource.ts'

/**
 * Objects are stored without `kind` and `apiVersion`: one stored form serves every version of a kind, and an answer is
 * the kind's prefix plus the stored text.
 */
export interface Encoded {
  readonly value: KubeObject
  readonly json: string
}

const prefixes = new WeakMap<ResourceDefinition, string>()

/** `group/version`, or the bare version for the core group. */
export function apiVersionOf(definition: Pick<ResourceDefinition, 'group' | 'version'>): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`
}

/** `{"kind":...,"apiVersion":...,` of a kind's answers. */
function prefixOfKind(definition: ResourceDefinition): string {
  let prefix = prefixes.get(definition)
  if (prefix === undefined) {
    prefix = `{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(apiVersionOf(definition))},`
    prefixes.set(definition, prefix)
  }
  return prefix
}

/** The stored form of an object with the revision it is written at. */
export function encode(object: KubeObject, revision: number): Encoded {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
  const value: KubeObject = { metadata: { ...metadata, resourceVersion: String(revision) }, ...rest }
  return { value, json: exactJsonText(value) }
}

/** An object as an answer carries it: with kind and apiVersion of the version asked for. */
export function typed(definition: ResourceDefinition, value: KubeObject): KubeObject {
  const shaped = definition.convert ? definition.convert.fromStored(value) : value
  return { kind: definition.kind, apiVersion: apiVersionOf(definition), ...shaped }
}

/** The text of a single object in an answer. */
export function typedText(definition: ResourceDefinition, stored: Encoded): string {
  if (definition.convert) return exactJsonText(typed(definition, stored.value))
  return prefixOfKind(definition) + stored.json.slice(1)
}

/** The text of an item in a list: built-in kinds leave kind and apiVersion to the list. */
export function itemText(definition: ResourceDefinition, stored: Encoded): string {
  if (definition.isCustom) return typedText(definition, stored)
  return definition.convert ? exactJsonText(definition.convert.fromStored(stored.value)) : stored.json
}

/** A copy that may be changed. */
export function copyOf(stored: Encoded): KubeObject {
  // The text was made of a KubeObject.
  return parseExactJson(stored.json) as unknown as KubeObject
}
