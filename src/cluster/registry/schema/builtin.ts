import { text } from './generated/schemas.ts'
import type { Schema, SchemaSet } from './schema.ts'

interface Parsed {
  /** `group/version/kind` -> schema name. */
  readonly kinds: ReadonlyMap<string, string>
  readonly schemas: ReadonlyMap<string, Schema>
}

let parsed: Parsed | undefined

function all(): Parsed {
  if (!parsed) {
    const { kinds, schemas } = JSON.parse(text) as {
      kinds: Record<string, string>
      schemas: Record<string, Schema>
    }
    parsed = { kinds: new Map(Object.entries(kinds)), schemas: new Map(Object.entries(schemas)) }
  }
  return parsed
}

const prefix = '#/components/schemas/'

/** Follows a `$ref` into the built-in schemas; a schema without one is its own answer. */
export const builtinSchemas: SchemaSet = {
  resolve(schema) {
    if (schema.$ref === undefined) return schema
    const found = all().schemas.get(schema.$ref.slice(prefix.length))
    if (!found) throw new Error(`no built-in schema is named "${schema.$ref}"`)
    return found
  },
}

/** The name of a built-in kind's schema in OpenAPI documents, undefined when no such kind is built in. */
export function schemaName(group: string, version: string, kind: string): string | undefined {
  return all().kinds.get(`${group}/${version}/${kind}`)
}

/**
 * The schema of a built-in kind.
 *
 * @throws {Error} when there is none: only kinds named in `scripts/schema-facts.mjs` may be asked for.
 */
export function schemaFor(group: string, version: string, kind: string): Schema {
  const name = schemaName(group, version, kind)
  if (name === undefined) throw new Error(`no built-in schema for ${group}/${version} ${kind}`)
  return builtinSchemas.resolve({ $ref: prefix + name })
}

/** Every built-in schema by its OpenAPI name. */
export function builtinSchemaNames(): Iterable<[name: string, schema: Schema]> {
  return all().schemas
}

/** Where a reference points: `io.k8s.api.core.v1.Pod`. */
export function referredName(schema: Schema): string | undefined {
  return schema.$ref?.slice(prefix.length)
}
