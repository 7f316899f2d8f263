import { RE2JS } from 're2js'
import { celTypes } from '../../../cel/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import type { Schema } from '../../schema/schema.ts'
import { defaultFaults } from './default-faults.ts'
import { extensionFaults } from './extension-faults.ts'
import { junctorFaults } from './junctor-faults.ts'
import { costComplaint } from './rule-cost.ts'
import { expressionFaults, type Place, wordingFaults } from './rule-faults.ts'

/**
 * What keeps a schema from being structural
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema),
 * in the order and the words of the API server.
 */
export function structuralFaults(schema: Schema, path: string): Fault[] {
  const check = new StructuralCheck()
  check.root(schema, path)
  return check.faults
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const unsupported = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$schema',
] as const
const mostPerDefinition = 100_000_000

/** One walk over one schema: what is asked at each place stands in the files beside this one. */
class StructuralCheck {
  readonly faults: Fault[] = []
  /** Faults of the schema itself. Where there are any, rules would only be misunderstood. */
  #plain = 0
  /** What all rules together can cost. */
  #cost = 0

  root(schema: Schema, path: string): void {
    if (schema.type !== 'object') {
      this.#add(
        schema.type
          ? invalidValue(`${path}.type`, schema.type, 'must be object at the root')
          : required(`${path}.type`, 'must not be empty at the root'),
      )
    }
    this.#schema(schema, path, { isRoot: true, count: 1 })
    const complaint = costComplaint(
      'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema',
      'rules',
      this.#cost,
      mostPerDefinition,
    )
    if (complaint !== undefined) this.#add(forbiddenField(path, complaint))
    const metadata = schema.properties?.['metadata']
    if (metadata !== undefined) this.#add(...metadataFaults(metadata, `${path}.properties[metadata]`))
  }

  #add(...faults: readonly Fault[]): void {
    this.faults.push(...faults)
    this.#plain += faults.length
  }

  #schema(schema: Schema, path: string, place: Place): void {
    const before = this.#plain
    this.#add(...generalFaults(schema, path), ...extensionFaults(schema, path))
    this.#properties(schema, path, place)
    this.#items(schema, path, place)
    this.#additional(schema, path, place)
    this.#add(...junctorFaults(schema, path))
    const rules = [...(schema['x-kubernetes-validations'] ?? []).entries()].map(
      ([at, rule]) => [rule, `${path}.x-kubernetes-validations[${at}]`] as const,
    )
    for (const [rule, at] of rules) this.#add(...wordingFaults(schema, rule, at))
    if (this.#plain === before) {
      for (const [rule, at] of rules) {
        const { faults, cost } = expressionFaults(schema, rule, at, place)
        this.faults.push(...faults)
        this.#cost += cost
      }
    }
    this.#add(...defaultFaults(schema, path))
  }

  #properties(schema: Schema, path: string, { count, within }: Place): void {
    const isAtomic = schema['x-kubernetes-map-type'] === 'atomic'
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const at = `${path}.properties[${name}]`
      this.#add(...typeFaults(property, at, 'must not be empty for specified object fields'))
      this.#schema(property, at, { isRoot: false, count, within: isAtomic ? path : within })
    }
  }

  #items(schema: Schema, path: string, place: Place): void {
    const { items } = schema
    const at = `${path}.items`
    if (Array.isArray(items)) {
      this.#add(forbiddenField(at, 'items must be a schema object and not an array'))
    } else if (items !== undefined) {
      this.#add(...typeFaults(items, at, 'must not be empty for specified array items'))
      const within = schema['x-kubernetes-list-type'] === 'map' ? place.within : path
      this.#schema(items, at, { isRoot: false, count: place.count * mostOf(schema), within })
    } else if (schema.type === 'array') {
      this.#add(required(at, 'must be specified'))
    }
  }

  #additional(schema: Schema, path: string, place: Place): void {
    const { additionalProperties: extra, properties } = schema
    if (extra === undefined) return
    const at = `${path}.additionalProperties`
    if (extra === false) this.#add(forbiddenField(at, 'additionalProperties cannot be set to false'))
    if (properties !== undefined && Object.keys(properties).length > 0) {
      this.#add(forbiddenField(at, 'additionalProperties and properties are mutual exclusive'))
    }
    if (typeof extra !== 'object') return
    this.#add(...typeFaults(extra, at, 'must not be empty for specified object fields'))
    this.#schema(extra, at, { isRoot: false, count: place.count * mostOf(schema), within: place.within })
  }
}

/** Most elements of a list or entries of a map. */
function mostOf(schema: Schema): number {
  return celTypes.typeOfSchema(schema).max ?? 1
}

function typeFaults(schema: Schema, path: string, detail: string): Fault[] {
  if (schema.type || schema['x-kubernetes-int-or-string']) return []
  if (schema['x-kubernetes-preserve-unknown-fields'] && !schema.properties) return []
  return [required(`${path}.type`, detail)]
}

/** Faults of what is OpenAPI's own at one place of a schema. */
function generalFaults(schema: Schema, path: string): Fault[] {
  const faults: Fault[] = []
  if (schema.type && !types.includes(schema.type)) {
    faults.push(notSupported(`${path}.type`, schema.type, types))
  }
  if (schema.uniqueItems) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    faults.push(forbiddenField(`${path}.uniqueItems`, why))
  }
  for (const field of unsupported) {
    if (field in schema) faults.push(forbiddenField(`${path}.${field}`, `${field} is not supported`))
  }
  const complaint = schema.pattern === undefined ? undefined : patternComplaint(schema.pattern)
  if (complaint !== undefined) faults.push(invalidValue(`${path}.pattern`, schema.pattern, complaint))
  return faults
}

function patternComplaint(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return `must be a valid regular expression, but isn't: ${why}`
  }
}

/** The metadata of an object is the server's; a schema may only narrow its name. */
function metadataFaults(schema: Schema, path: string): Fault[] {
  const faults: Fault[] = []
  if (schema.type !== undefined && schema.type !== 'object') {
    faults.push(invalidValue(`${path}.type`, schema.type, 'must be object'))
  }
  const others = Object.keys(schema.properties ?? {}).filter(
    (name) => name !== 'name' && name !== 'generateName',
  )
  const isMore =
    others.length > 0 || schema.additionalProperties !== undefined || (schema.required?.length ?? 0) > 0
  if (isMore) {
    faults.push(
      forbiddenField(
        path,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    )
  }
  return faults
}
