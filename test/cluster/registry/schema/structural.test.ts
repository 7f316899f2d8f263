import { describe, expect, it } from 'vitest'
import { decodeCustom } from '../../../../src/cluster/registry/schema/decode-custom.ts'
import type { Schema } from '../../../../src/cluster/registry/schema/schema.ts'
import {
  applyDefaults,
  prune,
  validateStructural,
} from '../../../../src/cluster/registry/schema/structural.ts'
import type { JsonObject } from '../../../../src/kube/index.ts'

const port: Schema = {
  type: 'object',
  required: ['port'],
  properties: { port: { type: 'integer' }, name: { type: 'string' } },
}
const schema: Schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['image'],
      properties: {
        image: { type: 'string', minLength: 1, maxLength: 5, pattern: '^[a-z]*$' },
        workers: { type: 'integer', minimum: 1, maximum: 8 },
        policy: { type: 'string', enum: ['Never', 'OnFailure'] },
        env: { type: 'object', additionalProperties: { type: 'string' } },
        ports: {
          type: 'array',
          maxItems: 3,
          items: port,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port'],
        },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        size: { 'x-kubernetes-int-or-string': true },
        when: { type: 'string', format: 'date-time', nullable: true },
        choice: {
          type: 'object',
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
      },
    },
  },
}

function faultsOf(spec: JsonObject): string[] {
  return validateStructural({ spec: { image: 'x', ...spec } }, schema).map(
    ({ field, message, reason }) => `${field}: ${message} (${reason})`,
  )
}

describe('validating a custom resource', () => {
  it('finds nothing wrong with a good object', () => {
    expect(
      faultsOf({
        workers: 3,
        policy: 'Never',
        env: { A: 'b' },
        ports: [{ port: 1 }, { port: 2 }],
        size: '1',
        when: null,
        choice: { a: '' },
      }),
    ).toEqual([])
  })

  it.each<[JsonObject, string[]]>([
    [
      { image: '' },
      [
        'spec.image: Invalid value: "": spec.image in body should be at least 1 chars long (FieldValueInvalid)',
      ],
    ],
    [{ image: 'abcdefg' }, ['spec.image: Too long: may not be more than 5 bytes (FieldValueTooLong)']],
    [
      { image: 'A' },
      [`spec.image: Invalid value: "A": spec.image in body should match '^[a-z]*$' (FieldValueInvalid)`],
    ],
    [
      { workers: 9 },
      [
        'spec.workers: Invalid value: 9: spec.workers in body should be less than or equal to 8 (FieldValueInvalid)',
      ],
    ],
    [
      { workers: 'many' },
      [
        'spec.workers: Invalid value: "string": spec.workers in body must be of type integer: "string" (FieldValueTypeInvalid)',
      ],
    ],
    [
      { policy: 'Always' },
      [
        'spec.policy: Unsupported value: "Always": supported values: "Never", "OnFailure" (FieldValueNotSupported)',
      ],
    ],
    [{ ports: [{}] }, ['spec.ports[0].port: Required value (FieldValueRequired)']],
    [
      { ports: [{ port: 1 }, { port: 1 }] },
      ['spec.ports[1]: Duplicate value: {"port":1} (FieldValueDuplicate)'],
    ],
    [
      { ports: [{ port: 1 }, { port: 2 }, { port: 3 }, { port: 4 }] },
      ['spec.ports: Too many: 4: must have at most 3 items (FieldValueTooMany)'],
    ],
    [{ tags: ['a', 'a'] }, ['spec.tags[1]: Duplicate value: "a" (FieldValueDuplicate)']],
    [
      { env: { A: 1 } },
      [
        'spec.env.A: Invalid value: "integer": spec.env.A in body must be of type string: "integer" (FieldValueTypeInvalid)',
      ],
    ],
    [
      { size: true },
      [
        'spec.size: Invalid value: "boolean": spec.size in body must be of type integer,string: "boolean" (FieldValueTypeInvalid)',
      ],
    ],
    [
      { when: 'noon' },
      [
        'spec.when: Invalid value: "noon": spec.when in body must be of type date-time: "noon" (FieldValueTypeInvalid)',
      ],
    ],
    [
      { choice: {} },
      [
        '<nil>: Invalid value: "": "spec.choice" must validate one and only one schema (oneOf). Found none valid (FieldValueInvalid)',
        'spec.choice.a: Required value (FieldValueRequired)',
      ],
    ],
  ])('words the faults of %j as Kubernetes does', (spec, faults) => {
    expect(faultsOf(spec)).toEqual(faults)
  })

  it('asks for a required field at the root', () => {
    expect(validateStructural({}, schema)).toEqual([
      { field: 'spec', reason: 'FieldValueRequired', message: 'Required value' },
    ])
  })

  it('counts characters, not UTF-16 units', () => {
    expect(
      validateStructural(
        { a: '😀😀' },
        { type: 'object', properties: { a: { type: 'string', maxLength: 2 } } },
      ),
    ).toEqual([])
  })
})

describe('an object within a custom resource', () => {
  const embedded: Schema = { type: 'object', 'x-kubernetes-embedded-resource': true }
  const words = (value: JsonObject): string[] =>
    validateStructural(
      { one: value, by: { k: value } },
      {
        type: 'object',
        properties: { one: embedded, by: { type: 'object', additionalProperties: embedded } },
      },
    ).map(({ field, message }) => `${field}: ${message}`)

  it('says what it is', () => {
    expect(words({ apiVersion: 'apps/v1', kind: 'Deployment' })).toEqual([])
    expect(words({ kind: '' })).toEqual([
      'one.apiVersion: Required value: must not be empty',
      'one.kind: Invalid value: "": must not be empty',
      'by[k].apiVersion: Required value: must not be empty',
      'by[k].kind: Invalid value: "": must not be empty',
    ])
    const [version, kind] = words({ apiVersion: 'a/b/c', kind: 'x y' })
    expect(version).toBe('one.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c')
    expect(kind).toContain(
      'one.kind: Invalid value: "x y": may have mixed case, but should otherwise match: a DNS-1035 label',
    )
  })

  it('has metadata as all objects have, though it need not have a name', () => {
    const object = { apiVersion: 'v1', kind: 'Pod' }
    expect(words({ ...object, metadata: { labels: { a: 'b' } } })).toEqual([])
    const [label, name, namespace] = words({
      ...object,
      metadata: { name: 'a/b', namespace: 'A', labels: { 'a b': 'c' } },
    }).sort()
    expect(label).toContain('by[k].metadata.labels: Invalid value: "a b": name part must consist of')
    expect(name).toBe(`by[k].metadata.name: Invalid value: "a/b": may not contain '/'`)
    expect(namespace).toContain('by[k].metadata.namespace: Invalid value: "A": a lowercase RFC 1123 label')
  })

  it('loses what metadata does not have, and is refused with metadata of a wrong type', () => {
    const schema: Schema = {
      type: 'object',
      properties: {
        list: { type: 'array', items: { ...embedded, 'x-kubernetes-preserve-unknown-fields': true } },
      },
    }
    const target = { group: 'g', version: 'v1', kind: 'K', schema }
    const stated = { group: 'g', version: 'v1', kind: 'K' }
    const metadata = { name: 'x', nonsense: 1, creationTimestamp: null }
    const { value, unknown } = decodeCustom({ list: [{ metadata, spec: { any: 1 } }] }, target, stated)
    expect(value).toEqual({ list: [{ metadata: { name: 'x' }, spec: { any: 1 } }] })
    expect(unknown).toEqual(['list[0].metadata.nonsense'])
    expect(() => decodeCustom({ list: [{ metadata: { labels: { a: 1 } } }] }, target, stated)).toThrow(
      'list[0].metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    )
  })
})

it('tells items that are there twice beside all else that is wrong', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      few: { type: 'array', minItems: 1, items: { type: 'string' } },
    },
  }
  expect(validateStructural({ set: ['a', 'a'], few: [] }, schema).map(({ message }) => message)).toEqual([
    'Invalid value: 0: few in body should have at least 1 items',
    'Duplicate value: "a"',
  ])
})

describe('pruning', () => {
  it('keeps what is specified, also below preserved fields', () => {
    const object: JsonObject = {
      kind: 'A',
      metadata: { name: 'x' },
      extra: 1,
      open: { anything: 1, known: { kept: 1, gone: 1 } },
      list: [{ kept: 1, gone: 1 }],
      embedded: { kind: 'B', metadata: {}, gone: 1 },
    }
    const known: Schema = { type: 'object', properties: { kept: { type: 'integer' } } }
    const removed = prune(object, {
      type: 'object',
      properties: {
        open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known } },
        list: { type: 'array', items: known },
        embedded: { type: 'object', 'x-kubernetes-embedded-resource': true },
      },
    })
    expect(removed).toEqual(['embedded.gone', 'extra', 'list[0].gone', 'open.known.gone'])
    expect(object).toEqual({
      kind: 'A',
      metadata: { name: 'x' },
      open: { anything: 1, known: { kept: 1 } },
      list: [{ kept: 1 }],
      embedded: { kind: 'B', metadata: {} },
    })
  })
})

describe('defaulting', () => {
  it('fills in what is absent or a null that may not be, at every depth', () => {
    const value: JsonObject = { list: [{}, { a: null }], nothing: null, maybe: null }
    applyDefaults(value, {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { type: 'object', properties: { a: { type: 'integer', default: 1 } } },
        },
        nested: { type: 'object', default: {}, properties: { b: { type: 'string', default: 'x' } } },
        nothing: { type: 'string' },
        maybe: { type: 'string', nullable: true, default: 'd' },
      },
    })
    expect(value).toEqual({ list: [{ a: 1 }, { a: 1 }], nested: { b: 'x' }, maybe: null })
  })
})
