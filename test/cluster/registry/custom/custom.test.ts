import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { describe, expect, it } from 'vitest'
import {
  customResourceDefinitions,
  definitionsOf,
  establishedStatus,
} from '../../../../src/cluster/registry/custom/index.ts'
import type { ResourceDefinition } from '../../../../src/cluster/registry/index.ts'
import type { ResourceRequest } from '../../../../src/cluster/registry/request.ts'
import { applyDefaults } from '../../../../src/cluster/registry/schema/structural.ts'
import type { Schema } from '../../../../src/cluster/registry/schema/schema.ts'
import type { KubeObject } from '../../../../src/kube/index.ts'

const trainJobSchema: object = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['image'],
      properties: {
        image: { type: 'string', minLength: 1 },
        workers: { type: 'integer', minimum: 1, maximum: 8, default: 2 },
        policy: { type: 'string', enum: ['Never', 'OnFailure'] },
        ports: {
          type: 'array',
          items: {
            type: 'object',
            required: ['port'],
            properties: {
              port: {
                type: 'integer',
                'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'port is fixed' }],
              },
              name: { type: 'string', 'x-kubernetes-validations': [{ rule: "self != 'bad'" }] },
            },
          },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port'],
        },
      },
      'x-kubernetes-validations': [
        {
          rule: "!has(self.policy) || self.policy != 'Never' || self.workers <= 4",
          message: 'Never allows at most 4 workers',
        },
        {
          rule: 'self.workers >= oldSelf.workers',
          messageExpression: "'workers may not shrink from ' + string(oldSelf.workers)",
          reason: 'FieldValueForbidden',
          fieldPath: '.workers',
        },
      ],
    },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}

function crd(schema: object = trainJobSchema, over: object = {}): CustomResourceDefinition {
  return {
    metadata: { name: 'trainjobs.kubeflow.example' },
    spec: {
      group: 'kubeflow.example',
      scope: 'Namespaced',
      names: { kind: 'TrainJob', plural: 'trainjobs' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.workers', statusReplicasPath: '.status.workers' },
          },
          additionalPrinterColumns: [
            { name: 'State', type: 'string', jsonPath: '.status.conditions[-1:].type' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Workers', type: 'integer', jsonPath: '.spec.workers' },
          ],
          selectableFields: [{ jsonPath: '.spec.image' }],
          schema: { openAPIV3Schema: schema },
        },
      ],
      ...over,
    },
  } as CustomResourceDefinition
}

const warnings: string[] = []
const request = { warn: (text: string): void => void warnings.push(text) } as ResourceRequest

function trainJobs(): ResourceDefinition {
  const [definition] = definitionsOf(crd(), {
    caller: { post: () => Promise.reject(new Error('no webhook is called here')) },
    signal: new AbortController().signal,
  })
  if (definition === undefined) throw new Error('no version is served')
  return definition
}

function object(spec: object, rest: object = {}): KubeObject {
  const made = { metadata: { name: 'b', namespace: 'team' }, spec, ...rest } as unknown as KubeObject
  applyDefaults(made as never, trainJobSchema as Schema)
  return made
}

function created(spec: object): { field: string; message: string }[] {
  const definition = trainJobs()
  const made = object(spec)
  definition.prepareForCreate?.(made, request, () => [])
  return [...(definition.validate?.(made, request, () => []) ?? [])]
    .map(({ field, message }) => ({ field, message }))
    .sort((a, b) => (a.field < b.field ? -1 : 1))
}

function updated(spec: object, old: object): { field: string; message: string; reason: string }[] {
  return [...(trainJobs().validateUpdate?.(object(spec), object(old), request) ?? [])]
}

const unchecked =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

describe('objects of a custom kind', () => {
  it('are held to their schema', () => {
    expect(created({})).toEqual([
      { field: '<nil>', message: unchecked },
      { field: 'spec.image', message: 'Required value' },
    ])
    expect(created({ image: 'x', workers: 'many' })).toEqual([
      {
        field: '.spec.workers',
        message: 'Invalid value: 0: .spec.workers accessor error: many is of the type string, expected int64',
      },
      { field: '<nil>', message: unchecked },
      {
        field: 'spec.workers',
        message: 'Invalid value: "string": spec.workers in body must be of type integer: "string"',
      },
    ])
  })

  it('are held to their rules', () => {
    expect(created({ image: 'x', workers: 6, policy: 'Never' })).toEqual([
      { field: 'spec', message: 'Invalid value: Never allows at most 4 workers' },
    ])
    expect(created({ image: 'x', ports: [{ port: 1, name: 'bad' }] })).toEqual([
      { field: 'spec.ports[0].name', message: 'Invalid value: "bad": failed rule: self != \'bad\'' },
    ])
  })

  it('are compared with what they were', () => {
    expect(updated({ image: 'x', workers: 2 }, { image: 'x', workers: 4 })).toEqual([
      {
        field: 'spec.workers',
        message: 'Forbidden: workers may not shrink from 4',
        reason: 'FieldValueForbidden',
      },
    ])
    expect(updated({ image: 'x', ports: [{ port: 7 }] }, { image: 'x', ports: [{ port: 1 }] })).toEqual([])
  })

  it('may keep faults they had before, with a warning', () => {
    const bad = { port: 1, name: 'bad' }
    warnings.length = 0
    expect(updated({ image: 'y', ports: [bad] }, { image: 'x', ports: [bad] })).toEqual([])
    expect(warnings).toEqual(['spec.ports[0].name: Invalid value: "bad": failed rule: self != \'bad\''])
    expect(updated({ image: '', workers: 2 }, { image: '', workers: 1 })).toEqual([])
    expect(updated({ image: '' }, { image: 'x' })).toHaveLength(1)
  })

  it('show the columns and select by the fields of their definition', () => {
    const { columns, selectableFields } = trainJobs()
    const made = object(
      { image: 'tf', workers: 3 },
      { status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Running' }] } },
    )
    expect(columns?.map((column) => column.cell(made, 0))).toEqual(['b', 'Running', 'True', 3])
    expect(columns?.[1]?.description).toBe(
      'Custom resource definition column (in JSONPath format): .status.conditions[-1:].type',
    )
    expect(selectableFields?.['spec.image']?.(made)).toBe('tf')
    expect(trainJobs().storageVersionHash).toBe('kTeXAsgfJ+0=')
  })
})

describe('a custom resource definition', () => {
  const faults = (definition: CustomResourceDefinition): { field: string; message: string }[] => {
    customResourceDefinitions.setDefaults?.(definition as unknown as KubeObject)
    const found =
      customResourceDefinitions.validate?.(definition as unknown as KubeObject, request, () => []) ?? []
    return found.map(({ field, message }) => ({ field, message }))
  }

  it('is fine when its schema is structural', () => {
    expect(faults(crd())).toEqual([])
  })

  it('must bear the name of its resource and have a schema', () => {
    const wrong = { ...crd(), metadata: { name: 'wrong.kubeflow.example' } }
    expect(faults(wrong)[0]?.field).toBe('metadata.name')
    const bare = crd()
    bare.spec.versions = [{ name: 'v1', served: true, storage: true }]
    expect(faults(bare)).toEqual([
      { field: 'spec.versions[0].schema.openAPIV3Schema', message: 'Required value: schemas are required' },
    ])
  })

  it.each([
    [{ type: 'object', properties: { spec: {} } }, 'spec.validation.openAPIV3Schema.properties[spec].type'],
    [{ type: 'string' }, 'spec.validation.openAPIV3Schema.type'],
    [
      { type: 'object', properties: { a: { type: 'array' } } },
      'spec.validation.openAPIV3Schema.properties[a].items',
    ],
    [
      { type: 'object', properties: { a: { type: 'string', default: 1 } } },
      'spec.validation.openAPIV3Schema.properties[a].default',
    ],
    [
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        anyOf: [{ properties: { b: { minLength: 1 } } }],
      },
      'spec.validation.openAPIV3Schema.properties[b]',
    ],
    [
      {
        type: 'object',
        properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
      },
      'spec.validation.openAPIV3Schema.properties[metadata]',
    ],
    [
      { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nope == 1' }] },
      'spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule',
    ],
    [
      { type: 'object', 'x-kubernetes-validations': [{ rule: '1 + 1' }] },
      'spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule',
    ],
    [
      {
        type: 'object',
        'x-kubernetes-validations': [{ rule: 'self.metadata.name != ""', messageExpression: '1' }],
      },
      'spec.validation.openAPIV3Schema.x-kubernetes-validations[0].messageExpression',
    ],
  ])('is refused with the schema %j', (schema, field) => {
    const definition = crd(schema)
    for (const version of definition.spec.versions) delete version.selectableFields
    expect(faults(definition).map((fault) => fault.field)).toEqual([field])
  })

  const words = (spec: object): string[] => {
    const definition = crd({ type: 'object', properties: { spec: { type: 'object', ...spec } } })
    for (const version of definition.spec.versions) delete version.selectableFields
    const root = 'spec.validation.openAPIV3Schema.properties[spec]'
    return faults(definition).map(({ field, message }) => `${field.replace(root, '')}: ${message}`)
  }
  const rule = (more: object): object => ({ 'x-kubernetes-validations': [{ rule: 'true', ...more }] })

  it.each([
    [
      rule({ rule: 'self.a ==\n"b"' }),
      '.message: Required value: message must be specified if rule contains line breaks',
    ],
    [
      rule({ messageExpression: ' ' }),
      '.messageExpression: Required value: messageExpression must be non-empty if specified',
    ],
    [rule({ fieldPath: '.b' }), '.fieldPath: Invalid value: ".b": fieldPath must be a valid path'],
    [
      rule({ reason: 'Other' }),
      '.reason: Unsupported value: "Other": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
    ],
    [
      rule({ optionalOldSelf: true }),
      '.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
    ],
    [rule({ rule: 'oldSelf.hasValue()', optionalOldSelf: true }), undefined],
  ])('is refused with the rule %j', (schema, fault) => {
    expect(words({ properties: { a: { type: 'string' } }, ...schema })).toEqual(
      fault === undefined ? [] : [`.x-kubernetes-validations[0]${fault}`],
    )
  })

  it('is refused when a rule asks for an old value that there cannot be', () => {
    const fixed = { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] }
    const list = (more: object, items: object = fixed): object => ({
      properties: { l: { type: 'array', maxItems: 2, items, ...more } },
    })
    const at = (path: string, within: string): string[] => [
      `${path}.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[spec]${within}`,
    ]
    expect(words(list({}))).toEqual(at('.properties[l].items', '.properties[l]'))
    expect(words(list({ 'x-kubernetes-list-type': 'set' }))).toEqual(
      at('.properties[l].items', '.properties[l]'),
    )
    const item = { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: fixed } }
    const keyed = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }
    expect(words(list(keyed, item))).toEqual([])
    expect(words(list(keyed, { ...item, 'x-kubernetes-map-type': 'atomic' }))).toEqual(
      at('.properties[l].items.properties[v]', '.properties[l].items'),
    )
    expect(words({ maxProperties: 2, additionalProperties: { ...fixed, maxLength: 9 } })).toEqual([])
  })

  it('is refused when a default is not what its own rules allow', () => {
    const a = { type: 'string', default: 'x', ...rule({ rule: 'self == "y"' }) }
    expect(words({ properties: { a } })).toEqual([
      '.properties[a].default: Invalid value: "x": failed rule: self == "y"',
    ])
    expect(
      words({
        properties: { b: { type: 'object', default: { a: 'z' }, properties: { a: { ...a, default: 'y' } } } },
      }),
    ).toEqual(['.properties[b].default.a: Invalid value: "z": failed rule: self == "y"'])
  })

  it('keeps in mind which versions objects are stored in', () => {
    const status = { subresource: 'status', warn: () => undefined } as unknown as ResourceRequest
    const stored = (...storedVersions: string[]): string[] => {
      const definition = { ...crd(), status: { storedVersions } } as unknown as KubeObject
      return (customResourceDefinitions.validateUpdate?.(definition, definition, status) ?? []).map(
        ({ field, message }) => `${field}: ${message}`,
      )
    }
    expect(stored('v1')).toEqual([])
    expect(stored()).toEqual([
      'status.storedVersions: Invalid value: []: must have at least one stored version',
    ])
    expect(stored('v0')[0]).toBe(
      'status.storedVersions: Invalid value: ["v0"]: must have the storage version v1',
    )
    expect(stored('v0')[1]).toContain(
      'status.storedVersions[0]: Invalid value: "v0": missing from spec.versions',
    )
  })

  it('is refused when items of a list cannot be told apart', () => {
    const list = (more: object, items: object): object => ({
      properties: { l: { type: 'array', items, ...more } },
    })
    const keyed = (...keys: string[]): object => ({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': keys,
    })
    const item = {
      type: 'object',
      required: ['k', 'o'],
      properties: { k: { type: 'string' }, o: { type: 'object' } },
    }
    expect(words(list(keyed('k', 'k', 'z'), item))).toEqual([
      '.properties[l].x-kubernetes-list-map-keys: Invalid value: ["k","k","z"]: must not contain duplicate entries',
      '.properties[l].x-kubernetes-list-map-keys: Invalid value: ["k","k","z"]: entries must all be names of item properties',
    ])
    expect(words(list(keyed('o'), item))).toEqual([
      `.properties[l].items.properties[o].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
    ])
    expect(words(list({ ...keyed('k'), 'x-kubernetes-list-type': 'atomic' }, item))).toEqual([
      '.properties[l].x-kubernetes-list-type: Invalid value: "atomic": must be map if x-kubernetes-list-map-keys is non-empty',
    ])
    expect(words(list({ 'x-kubernetes-list-type': 'set' }, { type: 'object' }))).toEqual([
      '.properties[l].items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set',
    ])
  })

  it('is refused when a rule could be too much work, and fine when its lists are bounded', () => {
    const nested = (bounds: object): object => ({
      type: 'object',
      properties: {
        x: {
          type: 'array',
          ...bounds,
          items: { type: 'array', ...bounds, items: { type: 'string', maxLength: 100 } },
          'x-kubernetes-validations': [{ rule: "self.all(s, s.all(t, t == 'constant'))" }],
        },
      },
    })
    const messages = (schema: object): string[] => {
      const definition = crd(schema)
      for (const version of definition.spec.versions) delete version.selectableFields
      return faults(definition).map(({ message }) => message)
    }
    expect(messages(nested({}))[0]).toContain(
      'Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems',
    )
    expect(messages(nested({ maxItems: 100 }))).toEqual([])
  })

  it('is refused when there could be nothing at its root', () => {
    const definition = crd({ ...trainJobSchema, nullable: true })
    expect(faults(definition)).toMatchObject([
      {
        field: 'spec.validation.openAPIV3Schema.nullable',
        message: 'Forbidden: nullable cannot be true at the root',
      },
    ])
  })

  it('gets its names unless another definition of the group holds one', () => {
    const time = '2026-01-01T00:00:00Z'
    const first = { ...crd(), status: establishedStatus(crd(), [], time) } as CustomResourceDefinition
    expect(first.status?.conditions?.map(({ type, status }) => [type, status])).toEqual([
      ['NamesAccepted', 'True'],
      ['Established', 'True'],
    ])
    expect(establishedStatus(first, [first], 'later')).toBeUndefined()
    const second = crd(trainJobSchema, { names: { kind: 'TrainJob', plural: 'others' } })
    second.metadata = { name: 'others.kubeflow.example' }
    expect(establishedStatus(second, [first], time)?.conditions).toMatchObject([
      {
        type: 'NamesAccepted',
        status: 'False',
        reason: 'KindConflict',
        message: '"TrainJob" is already in use',
      },
      { type: 'Established', status: 'False', reason: 'NotAccepted' },
    ])
    // What is free it holds all the same, so that nobody else gets it.
    expect(establishedStatus(second, [first], time)?.acceptedNames).toEqual({ plural: 'others', kind: '' })
  })
})
