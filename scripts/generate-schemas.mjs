/**
 * Writes `src/cluster/registry/schema/generated/`: the schemas of the built-in kinds and, apart from them because only
 * OpenAPI documents need them, their descriptions. Run it after a change of `schema-facts.mjs` or of the version of
 * `kubernetes-types`: `node scripts/generate-schemas.mjs [DIR]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import * as facts from './schema-facts.mjs'
import { readModule } from './kubernetes-types.mjs'

const target = process.argv[2]
  ? pathToFileURL(`${process.argv[2]}/`)
  : new URL('../src/cluster/registry/schema/generated/', import.meta.url)
const modules = new Map()
const schemas = {}
const descriptions = {}
const used = { facts: new Set() }

/** The module as the package has it, with the facts laid over it. */
function moduleOf(name) {
  let found = modules.get(name)
  if (found) return found
  found = facts.absent.has(name) ? { types: {}, imports: {} } : readModule(name)
  for (const [typeName, fields] of Object.entries(facts.added[name] ?? {})) {
    const type = (found.types[typeName] ??= { description: fields[''], fields: {} })
    for (const [key, value] of Object.entries(fields)) {
      if (key === '') continue
      const field = key.replace(/\?$/, '')
      type.fields[field] = { type: value[0], optional: key.endsWith('?'), description: value[1] }
    }
  }
  Object.assign(found.imports, facts.imports[name])
  for (const removed of facts.removed) {
    const [typeName, field] = removed.split('.')
    delete found.types[typeName]?.fields?.[field]
  }
  modules.set(name, found)
  return found
}

function openApiName(module, type) {
  return `${facts.prefixes[module] ?? `io.k8s.api.${module.replace('/', '.')}`}.${type}`
}

/** Looks up a fact under `Type.field` or `module:Type.field`. */
function fact(table, module, path) {
  const has = (key) => (table instanceof Set ? table.has(key) : key in table)
  const key = [`${module}:${path}`, path].find(has)
  if (key === undefined) return undefined
  used.facts.add(key)
  return table instanceof Set ? true : table[key]
}

function addType(module, typeName) {
  const from = moduleOf(module).imports[typeName]
  if (from) return addType(from, typeName)
  const name = openApiName(module, typeName)
  if (name in schemas) return name
  const type = moduleOf(module).types[typeName]
  if (!type) throw new Error(`${module} has no type ${typeName}`)
  schemas[name] = {}
  descriptions[name] = { '': type.description }
  const special = facts.special[`${module}:${typeName}`]
  if (special) {
    schemas[name] = special
    for (const { $ref } of special.anyOf ?? []) if ($ref) addType(module, $ref.split('.').at(-1))
    return name
  }
  const schema = { type: 'object' }
  const properties = {}
  const required = []
  for (const [field, { type: fieldType, optional, description }] of Object.entries(type.fields)) {
    const path = `${typeName}.${field}`
    const corrected = fact(facts.optionality, module, path)
    const isOptional = corrected ? corrected === '-' : optional
    if (!isOptional) required.push(field)
    properties[field] = fieldSchema(module, path, fieldType, isOptional)
    if (description) descriptions[name][field] = description
  }
  if (Object.keys(properties).length > 0) schema.properties = properties
  if (required.length > 0) schema.required = required
  if (fact(facts.atomicTypes, module, typeName)) schema['x-kubernetes-map-type'] = 'atomic'
  Object.assign(schemas[name], schema)
  return name
}

function fieldSchema(module, path, type, isOptional) {
  const schema = typeSchema(module, path, type)
  const fallback = fact(facts.defaults, module, path)
  if (fallback !== undefined) schema.default = fallback
  if (schema.type === 'array') {
    const [kind, ...keys] = (fact(facts.lists, module, path) ?? 'atomic').split(' ')
    schema['x-kubernetes-list-type'] = kind
    if (keys.length > 0) schema['x-kubernetes-list-map-keys'] = keys
  }
  const patch = fact(facts.patches, module, path)
  if (patch) {
    const [strategy, mergeKey] = patch.split(' ')
    schema['x-kubernetes-patch-strategy'] = strategy
    if (mergeKey) schema['x-kubernetes-patch-merge-key'] = mergeKey
  }
  if (fact(facts.atomicFields, module, path)) schema['x-kubernetes-map-type'] = 'atomic'
  if (fact(facts.granularFields, module, path)) schema['x-kubernetes-map-type'] = 'granular'
  const isValue =
    schema.$ref &&
    !fact(facts.pointers, module, path) &&
    (/\.(spec|status|metadata|template)$/.test(path) || fact(facts.valueStructs, module, path))
  if (isValue) schema['x-go-value'] = true
  const goType = fact(facts.goTypes, module, path)
  if (goType) schema['x-go-type'] = goType
  if (isOptional && fact(facts.pointers, module, path)) schema['x-go-pointer'] = true
  return schema
}

function typeSchema(module, path, type) {
  const list = /^Array<(.*)>$/.exec(type)
  if (list) return { type: 'array', items: typeSchema(module, path, list[1]) }
  const map = /^Map<(.*)>$/.exec(type)
  if (map) return { type: 'object', additionalProperties: typeSchema(module, path, map[1]) }
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'string') {
    return fact(facts.base64, module, path) ? { type: 'string', format: 'byte' } : { type: 'string' }
  }
  if (type.startsWith('"')) return { type: 'string' }
  if (type === 'number') {
    if (fact(facts.doubles, module, path)) return { type: 'number', format: 'double' }
    return { type: 'integer', format: fact(facts.int64, module, path) ? 'int64' : 'int32' }
  }
  if (type === 'number | string') return { 'x-kubernetes-int-or-string': true }
  return { $ref: `#/components/schemas/${addType(module, type)}` }
}

const kinds = {}
for (const [module, { group, kinds: names }] of Object.entries(facts.roots)) {
  for (const kind of names.split(' ')) {
    const version = module.split('/')[1]
    for (const each of facts.unlisted.has(kind) ? [kind] : [kind, `${kind}List`]) {
      const name = addType(module, each)
      const served = each === 'Status' || each === 'DeleteOptions' ? '' : group
      schemas[name]['x-kubernetes-group-version-kind'] = [{ group: served, version, kind: each }]
      kinds[`${served}/${version}/${each}`] = name
    }
  }
}

const tables = {
  int64: facts.int64,
  doubles: facts.doubles,
  base64: facts.base64,
  lists: facts.lists,
  patches: facts.patches,
  atomicTypes: facts.atomicTypes,
  atomicFields: facts.atomicFields,
  granularFields: facts.granularFields,
  defaults: facts.defaults,
  optionality: facts.optionality,
  pointers: facts.pointers,
  goTypes: facts.goTypes,
  valueStructs: facts.valueStructs,
}
for (const [name, table] of Object.entries(tables)) {
  const keys = table instanceof Set ? [...table] : Object.keys(table)
  const stale = keys.filter((key) => !used.facts.has(key))
  if (stale.length > 0)
    throw new Error(`schema-facts.mjs: ${name} names what no kind has: ${stale.join(', ')}`)
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
// Text that is parsed on first use: a JavaScript literal of this size would cost its parsing at every start.
const asModule = (value, what) =>
  `// Made by scripts/generate-schemas.mjs from kubernetes-types (Apache-2.0); do not edit.\n/** ${what} */\nexport const text: string =\n  ${JSON.stringify(JSON.stringify(value))}\n`
mkdirSync(target, { recursive: true })
writeFileSync(
  new URL('schemas.ts', target),
  asModule({ kinds, schemas: sorted(schemas) }, 'JSON: names by group/version/kind, schemas by name.'),
)
writeFileSync(
  new URL('descriptions.ts', target),
  asModule(
    sorted(descriptions),
    'JSON: schema name to field to description; the empty field is the type itself.',
  ),
)
