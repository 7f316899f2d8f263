import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { organisationJsonSchema } from '../../../src/tenancy/file/json-schema.ts'

describe('the published JSON Schema', () => {
  it('is the one the program checks with', async () => {
    const published: unknown = JSON.parse(await readFile('schema/organisation.schema.json', 'utf8'))
    expect(published, 'run: node scripts/organisation-schema.mjs').toEqual(organisationJsonSchema())
  })

  it('accepts the organisation of the guide and refuses unknown keys and wrong types', async () => {
    const isValid = new Ajv({ strict: false }).compile(organisationJsonSchema())
    const guide: unknown = parse(await readFile('examples/guide/org.yaml', 'utf8'))
    expect(isValid(guide), JSON.stringify(isValid.errors)).toBe(true)
    expect(isValid({ organisation: 'x', groups: { a: { gid: 'many' } } })).toBe(false)
    expect(isValid({ organisation: 'x', users: { bob: { uid: 20001, hom: 'a' } } })).toBe(false)
    expect(
      isValid({ organisation: 'x', groups: { a: { gid: 10001, members: { bob: [{ role: 'lead' }] } } } }),
    ).toBe(true)
  })
})
