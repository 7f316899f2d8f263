import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  builtinSchemaNames,
  builtinSchemas,
  schemaFor,
  schemaName,
} from '../../../../src/cluster/registry/schema/builtin.ts'
import { builtinDescriptions, type Schema } from '../../../../src/cluster/registry/schema/index.ts'

const root = new URL('../../../../', import.meta.url)

function references(schema: Schema, found: Schema[] = []): Schema[] {
  if (schema.$ref !== undefined) found.push(schema)
  for (const inner of Object.values(schema.properties ?? {})) references(inner, found)
  if (schema.items) references(schema.items, found)
  if (typeof schema.additionalProperties === 'object') references(schema.additionalProperties, found)
  for (const inner of schema.anyOf ?? []) references(inner, found)
  return found
}

describe('the built-in schemas', () => {
  it('refer to nothing that is not there', () => {
    for (const [, schema] of builtinSchemaNames())
      for (const reference of references(schema)) expect(builtinSchemas.resolve(reference)).toBeDefined()
  })

  it('name the keys of list maps among the fields of the items', () => {
    for (const [name, schema] of builtinSchemaNames())
      for (const [field, property] of Object.entries(schema.properties ?? {}))
        for (const key of property['x-kubernetes-list-map-keys'] ?? [])
          expect(
            builtinSchemas.resolve(property.items ?? {}).properties,
            `${name}.${field} by ${key}`,
          ).toHaveProperty([key])
  })

  it('know fields that came after the declarations they are made from', () => {
    const { properties } = builtinSchemas.resolve(schemaFor('', 'v1', 'Pod').properties?.['spec'] ?? {})
    expect(properties).toHaveProperty('hostnameOverride')
  })

  it('say plainly when a kind is not built in', () => {
    expect(schemaName('', 'v1', 'Nope')).toBeUndefined()
    expect(() => schemaFor('', 'v1', 'Nope')).toThrow('no built-in schema for /v1 Nope')
    expect(() => builtinSchemas.resolve({ $ref: '#/components/schemas/nope' })).toThrow(
      'no built-in schema is named',
    )
  })

  it('are described', async () => {
    const descriptions = await builtinDescriptions()
    for (const [name] of builtinSchemaNames()) expect(descriptions.get(name)?.[''], name).toBeTypeOf('string')
    expect(descriptions.get('io.k8s.api.core.v1.PodSpec')?.['containers']).toContain('List of containers')
  })

  it('are what the generator makes of its facts', async () => {
    const made = await mkdtemp(join(tmpdir(), 'schemas-'))
    try {
      await promisify(execFile)(process.execPath, ['scripts/generate-schemas.mjs', made], { cwd: root })
      for (const file of ['schemas.ts', 'descriptions.ts'])
        expect(await readFile(join(made, file), 'utf8')).toBe(
          await readFile(new URL(`src/cluster/registry/schema/generated/${file}`, root), 'utf8'),
        )
    } finally {
      await rm(made, { recursive: true })
    }
  })
})
