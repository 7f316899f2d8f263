import { RE2JS } from 're2js'
import type { Json } from '../../../kube/index.ts'
import { CelCompileError, celTypes } from '../../cel/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../faults.ts'
import type { Schema, ValidationRule } from '../schema/schema.ts'
import { prune, validateStructural } from '../schema/structural.ts'
import { checkRules, compileRule, compileRules } from './rules.ts'

/**
 * What keeps a schema from being structural
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
 * One piece, because it is one walk over one schema.
 */
export function structuralFaults(schema: Schema, path: string): Fault[] {
  const check = new StructuralCheck()
  check.root(schema, path)
  return check.faults
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
/** Says what a value is; only the main tree of a schema may. */
const structureFields = [
  'type',
  'default',
  'description',
  'title',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'additionalProperties',
] as const
const unsupported = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$schema',
] as const

/** Where a schema stands: at the root or not, and how often its values can occur in one object. */
interface Place {
  readonly isRoot: boolean
  readonly count: number
  /** The list or map around it whose items cannot be told apart: there is no old value to compare with. */
  readonly within?: string | undefined
}

const mostPerRule = 10_000_000
const mostPerDefinition = 100_000_000

function costComplaint(what: string, short: string, cost: number, most: number): string | undefined {
  if (cost <= most) return undefined
  const factor = cost / most
  const text =
    factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${text} (try simplifying the ${short}, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}

/** Most elements of a list or entries of a map. */
function mostOf(schema: Schema): number {
  return celTypes.typeOfSchema(schema).max ?? 1
}

class StructuralCheck {
  readonly faults: Fault[] = []
  /** Faults of the schema itself. Where there are any, rules would only be misunderstood. */
  #plain = 0
  #total = 0

  root(schema: Schema, path: string): void {
    if (schema.type !== 'object') {
      this.#add(
        schema.type
          ? invalidValue(`${path}.type`, schema.type, 'must be object at the root')
          : required(`${path}.type`, 'must not be empty at the root'),
      )
    }
    this.#schema(schema, path, { isRoot: true, count: 1 })
    const words = costComplaint(
      'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema',
      'rules',
      this.#total,
      mostPerDefinition,
    )
    if (words !== undefined) this.#add(forbiddenField(path, words))
    const metadata = schema.properties?.['metadata']
    if (metadata !== undefined) this.#metadata(metadata, `${path}.properties[metadata]`)
  }

  #add(...faults: Fault[]): void {
    this.faults.push(...faults)
    this.#plain += faults.length
  }

  #schema(schema: Schema, path: string, place: Place): void {
    const before = this.#plain
    const { count } = place
    this.#general(schema, path)
    this.#extensions(schema, path)
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const at = `${path}.properties[${name}]`
      this.#typed(property, at, 'must not be empty for specified object fields')
      const within = schema['x-kubernetes-map-type'] === 'atomic' ? path : place.within
      this.#schema(property, at, { isRoot: false, count, within })
    }
    if (Array.isArray(schema.items)) {
      this.#add(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'))
    } else if (schema.items !== undefined) {
      this.#typed(schema.items, `${path}.items`, 'must not be empty for specified array items')
      const within = schema['x-kubernetes-list-type'] === 'map' ? place.within : path
      this.#schema(schema.items, `${path}.items`, { isRoot: false, count: count * mostOf(schema), within })
    } else if (schema.type === 'array') {
      this.#add(required(`${path}.items`, 'must be specified'))
    }
    this.#additional(schema, path, place)
    this.#composed(schema, path)
    for (const [at, rule] of (schema['x-kubernetes-validations'] ?? []).entries())
      this.#ruleText(schema, rule, `${path}.x-kubernetes-validations[${at}]`)
    if (this.#plain === before) {
      for (const [at, rule] of (schema['x-kubernetes-validations'] ?? []).entries())
        this.#rule(schema, rule, `${path}.x-kubernetes-validations[${at}]`, place)
    }
    this.#default(schema, path)
  }

  #typed(schema: Schema, path: string, detail: string): void {
    if (schema.type || schema['x-kubernetes-int-or-string']) return
    if (schema['x-kubernetes-preserve-unknown-fields'] && !schema.properties) return
    this.#add(required(`${path}.type`, detail))
  }

  #general(schema: Schema, path: string): void {
    if (schema.type && !types.includes(schema.type)) {
      this.#add(notSupported(`${path}.type`, schema.type, types))
    }
    if (schema.uniqueItems) {
      this.#add(
        forbiddenField(
          `${path}.uniqueItems`,
          'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
        ),
      )
    }
    for (const field of unsupported) {
      if (field in schema) this.#add(forbiddenField(`${path}.${field}`, `${field} is not supported`))
    }
    if (schema.pattern !== undefined) {
      try {
        RE2JS.compile(schema.pattern)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#add(
          invalidValue(
            `${path}.pattern`,
            schema.pattern,
            `must be a valid regular expression, but isn't: ${why}`,
          ),
        )
      }
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
    this.#typed(extra, at, 'must not be empty for specified object fields')
    this.#schema(extra, at, { isRoot: false, count: place.count * mostOf(schema), within: place.within })
  }

  #extensions(schema: Schema, path: string): void {
    if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
      this.#add(
        invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
      )
    }
    if (schema['x-kubernetes-embedded-resource']) {
      if (schema.type !== 'object') {
        this.#add(
          schema.type
            ? invalidValue(
                `${path}.type`,
                schema.type,
                'must be object if x-kubernetes-embedded-resource is true',
              )
            : required(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true'),
        )
      }
      if (!schema['x-kubernetes-preserve-unknown-fields'] && !schema.properties) {
        this.#add(
          required(
            `${path}.properties`,
            'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
          ),
        )
      }
    }
    if (schema['x-kubernetes-int-or-string'] && schema.type) {
      this.#add(
        invalidValue(`${path}.type`, schema.type, 'must be empty if x-kubernetes-int-or-string is true'),
      )
    }
    this.#listType(schema, path)
    const mapType = schema['x-kubernetes-map-type']
    if (mapType !== undefined) {
      if (!['atomic', 'granular'].includes(mapType)) {
        this.#add(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
      }
      if (schema.type !== 'object') {
        this.#add(
          invalidValue(
            `${path}.type`,
            schema.type ?? '',
            'must be object if x-kubernetes-map-type is specified',
          ),
        )
      }
    }
  }

  #listType(schema: Schema, path: string): void {
    const kind = schema['x-kubernetes-list-type']
    const keys = schema['x-kubernetes-list-map-keys'] ?? []
    const keysAt = `${path}.x-kubernetes-list-map-keys`
    if (kind === undefined) {
      if (keys.length > 0)
        this.#add(
          required(
            `${path}.x-kubernetes-list-type`,
            'must be map if x-kubernetes-list-map-keys is non-empty',
          ),
        )
      return
    }
    if (!['atomic', 'set', 'map'].includes(kind)) {
      this.#add(notSupported(`${path}.x-kubernetes-list-type`, kind, ['atomic', 'set', 'map']))
    }
    if (schema.type !== 'array') {
      this.#add(
        schema.type
          ? invalidValue(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified')
          : required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified'),
      )
    }
    const { items } = schema
    if (kind !== 'map') {
      if (keys.length > 0) {
        const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
        this.#add(invalidValue(`${path}.x-kubernetes-list-type`, kind, why))
      }
      if (kind === 'set' && schema.type === 'array' && items !== undefined) this.#setItems(items, path)
      return
    }
    if (keys.length === 0) {
      this.#add(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
    }
    if (items === undefined) {
      this.#add(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
      return
    }
    if (items.type !== 'object') {
      this.#add(
        invalidValue(
          `${path}.items.type`,
          items.type ?? '',
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      )
      return
    }
    const seen = new Set<string>()
    for (const key of keys) {
      const property = items.properties?.[key]
      if (property === undefined) {
        this.#add(invalidValue(keysAt, keys, 'entries must all be names of item properties'))
      } else if (property.type === 'array' || property.type === 'object') {
        this.#add(
          invalidValue(
            `${path}.items.properties[${key}].type`,
            items.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        )
      }
      if (seen.has(key)) this.#add(invalidValue(keysAt, keys, 'must not contain duplicate entries'))
      seen.add(key)
      if (property === undefined) continue
      if (property.default === undefined && !items.required?.includes(key)) {
        this.#add(
          required(
            `${path}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        )
      }
    }
  }

  /** Items of a set are compared as a whole. */
  #setItems(items: Schema, path: string): void {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
    const listType = items['x-kubernetes-list-type']
    if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
      this.#add(invalidValue(`${path}.items.x-kubernetes-list-type`, listType, why))
    }
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
      this.#add(invalidValue(`${path}.items.x-kubernetes-map-type`, listType ?? 'null', why))
    }
  }

  #metadata(schema: Schema, path: string): void {
    if (schema.type !== undefined && schema.type !== 'object') {
      this.#add(invalidValue(`${path}.type`, schema.type, 'must be object'))
    }
    const others = Object.keys(schema.properties ?? {}).filter(
      (name) => name !== 'name' && name !== 'generateName',
    )
    const isMore =
      others.length > 0 || schema.additionalProperties !== undefined || (schema.required?.length ?? 0) > 0
    if (isMore) {
      this.#add(
        forbiddenField(
          path,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      )
    }
  }

  #composed(schema: Schema, path: string): void {
    for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
      for (const [at, inner] of (schema[field] ?? []).entries()) {
        this.#nested(inner, `${path}.${field}[${at}]`, schema, path)
      }
    }
    if (schema.not !== undefined) this.#nested(schema.not, `${path}.not`, schema, path)
  }

  /** Below a logical junctor stand only conditions on what the main tree describes. */
  #nested(schema: Schema, path: string, main: Schema | undefined, mainPath: string): void {
    const isIntOrString = main?.['x-kubernetes-int-or-string'] === true
    for (const field of structureFields) {
      const isAllowed =
        field === 'type' && isIntOrString && (schema.type === 'integer' || schema.type === 'string')
      if (schema[field] !== undefined && !isAllowed) {
        this.#add(forbiddenField(`${path}.${field}`, 'must be undefined to be structural'))
      }
    }
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const described = main?.properties?.[name]
      const at = `${path}.properties[${name}]`
      if (described === undefined && main?.['x-kubernetes-preserve-unknown-fields'] !== true) {
        this.#add(required(`${mainPath}.properties[${name}]`, `because it is defined in ${at}`))
      }
      this.#nested(inner, at, described, `${mainPath}.properties[${name}]`)
    }
    if (schema.items !== undefined && !Array.isArray(schema.items)) {
      if (main?.items === undefined) {
        this.#add(required(`${mainPath}.items`, `because it is defined in ${path}.items`))
      }
      this.#nested(schema.items, `${path}.items`, main?.items, `${mainPath}.items`)
    }
    for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
      for (const [at, inner] of (schema[field] ?? []).entries()) {
        this.#nested(inner, `${path}.${field}[${at}]`, main, mainPath)
      }
    }
    if (schema.not !== undefined) this.#nested(schema.not, `${path}.not`, main, mainPath)
  }

  #ruleText(schema: Schema, rule: ValidationRule, path: string): void {
    const { message = '', messageExpression = '', fieldPath = '' } = rule
    if (!rule.rule?.trim()) {
      this.#add(required(`${path}.rule`, 'rule is not specified'))
    } else if (message !== '' && message.trim() === '') {
      this.#add(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
    } else if (message.trim().includes('\n')) {
      this.#add(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
    } else if (rule.rule.trim().includes('\n') && message === '') {
      this.#add(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
    }
    if (messageExpression !== '' && messageExpression.trim() === '') {
      this.#add(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
    }
    if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
      this.#add(notSupported(`${path}.reason`, rule.reason, reasons))
    }
    if (fieldPath !== '' && fieldPath.trim() === '') {
      this.#add(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'))
    }
    if (fieldPath.includes('\n')) {
      this.#add(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'))
    }
    if (fieldPath !== '' && !refersToField(schema, fieldPath)) {
      this.#add(invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path'))
    }
  }

  #rule(schema: Schema, rule: ValidationRule, path: string, { isRoot, count, within }: Place): void {
    const embedded = schema['x-kubernetes-embedded-resource'] === true
    for (const field of ['rule', 'messageExpression'] as const) {
      if (field === 'messageExpression' && !rule.messageExpression) continue
      const only: ValidationRule = field === 'rule' ? withoutMessage(rule) : { ...rule, rule: 'true' }
      try {
        const { program, usesOldSelf } = compileRule(only, schema, { isRoot: isRoot || embedded })
        if (field === 'messageExpression') continue
        this.#cost(program.cost * count, `${path}.rule`)
        if (usesOldSelf && within !== undefined) {
          const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${within}`
          this.faults.push(invalidValue(`${path}.rule`, rule.rule, why))
        }
        if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
          const why = 'may not be set if oldSelf is not used in rule'
          this.faults.push(invalidValue(`${path}.optionalOldSelf`, rule.optionalOldSelf, why))
        }
      } catch (error) {
        if (!(error instanceof CelCompileError)) throw error
        this.faults.push({
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${goRule(rule)}: ${error.told}`,
          field: `${path}.${field}`,
        })
      }
    }
  }

  #cost(cost: number, path: string): void {
    this.#total += cost
    const words = costComplaint('estimated rule cost', 'rule', cost, mostPerRule)
    if (words !== undefined) this.faults.push(forbiddenField(path, words))
  }

  #default(schema: Schema, path: string): void {
    if (schema.default === undefined) return
    const at = `${path}.default`
    const before = this.faults.length
    const copy = structuredClone(schema.default)
    if (isObject(copy) && prune(copy, { ...schema, 'x-kubernetes-embedded-resource': true }).length > 0) {
      this.#add(invalidValue(at, schema.default, 'must not have unknown fields'))
    }
    const holder: Schema = { type: 'object', properties: { default: withoutDefault(schema) } }
    for (const fault of validateStructural({ default: schema.default }, holder)) {
      const inner = fault.field.replace(/^default/, '')
      this.#add({ ...fault, field: `${at}${inner === '<nil>' ? '' : inner}` })
    }
    if (this.faults.length > before) return
    const isRoot = schema['x-kubernetes-embedded-resource'] === true
    const rules = compileRules(schema, { isRoot })
    if (rules === undefined) return
    for (const fault of checkRules(rules, schema.default, undefined).faults) {
      const inner = fault.field.startsWith('[') ? fault.field : `.${fault.field}`
      this.#add({ ...fault, field: fault.field === '<nil>' ? at : `${at}${inner}` })
    }
  }
}

function withoutMessage(rule: ValidationRule): ValidationRule {
  const { messageExpression: _messageExpression, ...rest } = rule
  return rest
}

function withoutDefault(schema: Schema): Schema {
  const { default: _default, ...rest } = schema
  return rest
}

function isObject(value: Json): value is { [field: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refersToField(schema: Schema, path: string): boolean {
  let place: Schema | undefined = schema
  const steps = path.match(/\.[^.[\]]+|\['(?:[^'\\]|\\.)*'\]/g)
  if (steps === null || steps.join('') !== path) return false
  for (const step of steps) {
    const name = step.startsWith('.') ? step.slice(1) : step.slice(2, -2)
    const extra: Schema['additionalProperties'] = place?.additionalProperties
    place = place?.properties?.[name] ?? (typeof extra === 'object' ? extra : undefined)
    if (place === undefined) return false
  }
  return true
}

/** As Go prints the rule in the middle of an error. */
function goRule(rule: ValidationRule): string {
  const reason =
    rule.reason === undefined ? '(*apiextensions.FieldValueErrorReason)(nil)' : JSON.stringify(rule.reason)
  const optional = rule.optionalOldSelf === undefined ? '(*bool)(nil)' : String(rule.optionalOldSelf)
  return `apiextensions.ValidationRule{Rule:${JSON.stringify(rule.rule)}, Message:${JSON.stringify(rule.message ?? '')}, MessageExpression:${JSON.stringify(rule.messageExpression ?? '')}, Reason:${reason}, FieldPath:${JSON.stringify(rule.fieldPath ?? '')}, OptionalOldSelf:${optional}}`
}
