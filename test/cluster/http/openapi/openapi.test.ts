import { describe, expect, it } from 'vitest'
import { type ApiRequest, type ApiResponse, openApiDocuments } from '../../../../src/cluster/http/index.ts'
import type {
  ResourceDefinition,
  Subresource,
  VirtualResource,
} from '../../../../src/cluster/registry/index.ts'
import { schemaFor } from '../../../../src/cluster/registry/schema/builtin.ts'
import type { Schema } from '../../../../src/cluster/registry/schema/index.ts'
import type { JsonObject } from '../../../../src/kube/index.ts'

function definition(
  kind: string,
  plural: string,
  more: Partial<ResourceDefinition> = {},
): ResourceDefinition {
  const group = more.group ?? ''
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: true,
    hasStatus: false,
    schema: more.schema ?? schemaFor(group, 'v1', kind),
    ...more,
  }
}

const trainJob = definition('TrainJob', 'trainjobs', {
  group: 'kubeflow.example',
  isCustom: true,
  hasStatus: true,
  scale: { specReplicasPath: '.spec.workers', statusReplicasPath: '.status.workers' },
  schema: {
    type: 'object',
    description: 'A training job.',
    properties: {
      spec: {
        type: 'object',
        required: ['image'],
        properties: {
          image: { type: 'string', description: 'What to run.' },
          open: {
            type: 'object',
            'x-kubernetes-preserve-unknown-fields': true,
            properties: { a: { type: 'string' } },
          },
          size: { 'x-kubernetes-int-or-string': true },
          maybe: { type: 'string', nullable: true },
          template: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            properties: { spec: { type: 'object' } },
          },
        },
      },
    },
  },
})
const review: VirtualResource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  namespaced: false,
  schema: schemaFor('authorization.k8s.io', 'v1', 'SelfSubjectAccessReview'),
  create: () => Promise.reject(new Error('not in this test')),
}
const binding: Subresource = {
  group: '',
  parent: 'pods',
  name: 'binding',
  kind: 'Binding',
  namespaced: true,
  create: () => Promise.reject(new Error('not in this test')),
}

function source(): {
  version: number
  custom: ResourceDefinition[]
  definitions(): ResourceDefinition[]
  virtualResources(): VirtualResource[]
  subresources(): Subresource[]
} {
  return {
    version: 1,
    custom: [],
    definitions() {
      return [
        definition('Pod', 'pods', { hasStatus: true }),
        definition('Namespace', 'namespaces', { namespaced: false, hasStatus: true }),
        definition('PodDisruptionBudget', 'poddisruptionbudgets', { group: 'policy', hasStatus: true }),
        ...this.custom,
      ]
    },
    virtualResources: () => [review],
    subresources: () => [binding],
  }
}

async function get(
  documents: ReturnType<typeof openApiDocuments>,
  url: string,
  headers: ApiRequest['headers'] = {},
): Promise<ApiResponse> {
  const path = url.split('?')[0] ?? ''
  const serve = documents[path] ?? documents['/openapi/v3/']
  if (!serve) throw new Error(`nothing serves ${path}`)
  const request: ApiRequest = {
    method: 'GET',
    url,
    headers,
    user: { name: 'u', groups: [] },
    readBody: () => Promise.resolve(''),
    signal: new AbortController().signal,
  }
  return serve(request, { path, query: new URLSearchParams() })
}

async function json(documents: ReturnType<typeof openApiDocuments>, url: string): Promise<JsonObject> {
  return JSON.parse(String((await get(documents, url)).body)) as JsonObject
}

/** Follows a path of keys, written with blanks between them. */
function at(value: unknown, path: string): unknown {
  return path
    .split(' ')
    .reduce<unknown>(
      (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as JsonObject)[key] : undefined),
      value,
    )
}

function referencesIn(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, inner] of Object.entries(value))
    if (key === '$ref' && typeof inner === 'string') found.add(inner)
    else referencesIn(inner, found)
  return found
}

describe('OpenAPI v3', () => {
  it('lists every group and version under an address that changes with its content', async () => {
    const served = source()
    const documents = openApiDocuments(served)
    const before = await json(documents, '/openapi/v3')
    expect(Object.keys(at(before, 'paths') as object)).toEqual([
      'api/v1',
      'apis/authorization.k8s.io/v1',
      'apis/policy/v1',
    ])
    served.custom.push(trainJob)
    served.version++
    const after = await json(documents, '/openapi/v3')
    expect(at(after, 'paths api/v1')).toEqual(at(before, 'paths api/v1'))
    expect(at(after, 'paths apis/kubeflow.example/v1 serverRelativeURL')).toMatch(
      /^\/openapi\/v3\/apis\/kubeflow\.example\/v1\?hash=[0-9A-F]+$/,
    )
  })

  it('describes kinds with all that they refer to', async () => {
    const document = await json(openApiDocuments(source()), '/openapi/v3/api/v1')
    const schemas = at(document, 'components schemas') as JsonObject
    for (const reference of referencesIn(document))
      expect(schemas, reference).toHaveProperty([reference.replace('#/components/schemas/', '')])
    expect(at(schemas, 'io.k8s.api.core.v1.PodSpec properties containers')).toMatchObject({
      type: 'array',
      description: expect.stringContaining('List of containers') as string,
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }] },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    })
    expect(at(schemas, 'io.k8s.api.core.v1.Pod x-kubernetes-group-version-kind')).toEqual([
      { group: '', version: 'v1', kind: 'Pod' },
    ])
    expect(JSON.stringify(document)).not.toContain('x-go-')
  })

  it('tells what clients look for: patch types, dry run and field validation by kind', async () => {
    const document = await json(openApiDocuments(source()), '/openapi/v3/api/v1')
    const patch = at(document, 'paths /api/v1/namespaces/{namespace}/pods/{name} patch')
    expect(at(patch, 'x-kubernetes-group-version-kind')).toEqual({ group: '', version: 'v1', kind: 'Pod' })
    expect(Object.keys(at(patch, 'requestBody content') as object)).toContain(
      'application/strategic-merge-patch+json',
    )
    const parameters = at(patch, 'parameters') as JsonObject[]
    expect(parameters.map(({ name }) => name)).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force'])
    expect(Object.keys(at(document, 'paths') as object)).toEqual(
      expect.arrayContaining([
        '/api/v1/namespaces',
        '/api/v1/namespaces/{name}',
        '/api/v1/namespaces/{name}/status',
        '/api/v1/pods',
        '/api/v1/namespaces/{namespace}/pods/{name}/binding',
      ]),
    )
  })

  it('describes custom kinds, without strategic patches', async () => {
    const served = source()
    served.custom.push(trainJob)
    const document = await json(openApiDocuments(served), '/openapi/v3/apis/kubeflow.example/v1')
    const item = at(document, 'components schemas example.kubeflow.v1.TrainJob')
    expect(at(item, 'properties spec properties')).toMatchObject({
      image: { type: 'string', description: 'What to run.' },
      maybe: { nullable: true },
      size: { 'x-kubernetes-int-or-string': true },
    })
    expect(at(item, 'properties metadata allOf')).toEqual([
      { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
    ])
    const path = '/apis/kubeflow.example/v1/namespaces/{namespace}/trainjobs/{name}'
    expect(JSON.stringify(at(document, `paths ${path} patch`))).not.toContain('strategic')
    expect(at(document, `paths ${path}/scale get responses 200`)).toBeDefined()
  })

  it('sends clients with an old address to the new one, and knows what they have already', async () => {
    const documents = openApiDocuments(source())
    const moved = await get(documents, '/openapi/v3/api/v1?hash=OLD')
    expect(moved.status).toBe(301)
    const found = await get(documents, String(moved.headers['location']))
    expect(found).toMatchObject({
      status: 200,
      headers: {
        'cache-control': 'public, immutable',
        etag: `"${String(moved.headers['location']).split('hash=')[1] ?? ''}"`,
        expires: expect.stringMatching(/ GMT$/) as string,
      },
    })
    const again = await get(documents, '/openapi/v3/api/v1', {
      'if-none-match': String(found.headers['etag']),
    })
    expect(again.status).toBe(304)
    expect((await get(documents, '/openapi/v3/apis/nope/v1')).status).toBe(404)
  })
})

describe('OpenAPI v2', () => {
  it('describes everything in one document', async () => {
    const served = source()
    served.custom.push(trainJob)
    const document = await json(openApiDocuments(served), '/openapi/v2')
    const definitions = at(document, 'definitions') as JsonObject
    for (const reference of referencesIn(document))
      expect(definitions, reference).toHaveProperty([reference.replace('#/definitions/', '')])
    expect(at(definitions, 'io.k8s.apimachinery.pkg.util.intstr.IntOrString')).toMatchObject({
      type: 'string',
      format: 'int-or-string',
    })
    const spec = at(definitions, 'example.kubeflow.v1.TrainJob properties spec properties')
    expect(at(spec, 'template')).toMatchObject({
      required: ['kind', 'apiVersion'],
      properties: { spec: { type: 'object' }, kind: { type: 'string' }, metadata: {} },
    })
  })

  it('says of custom kinds nothing that makes kubectl refuse what the server takes', async () => {
    const served = source()
    const text = { type: 'string' } as const
    const schema: Schema = {
      type: 'object',
      properties: {
        maybe: { type: 'object', nullable: true, properties: { a: text }, description: 'Or nothing.' },
        open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: text } },
        openList: { type: 'array', 'x-kubernetes-preserve-unknown-fields': true, items: text },
        either: { type: 'string', oneOf: [{ pattern: 'a' }, { pattern: 'b' }] },
        names: { type: 'object', required: ['b'], additionalProperties: { type: 'string', nullable: true } },
      },
      required: ['maybe', 'open'],
    }
    const anything: Schema = {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: text },
    }
    served.custom.push(
      { ...trainJob, schema },
      { ...trainJob, kind: 'Anything', plural: 'anythings', schema: anything },
    )
    const definitions = at(await json(openApiDocuments(served), '/openapi/v2'), 'definitions')
    const job = at(definitions, 'example.kubeflow.v1.TrainJob')
    expect(at(job, 'required')).toEqual(['open'])
    const { apiVersion: _v, kind: _k, metadata: _m, ...properties } = at(job, 'properties') as JsonObject
    expect(properties).toEqual({
      maybe: { description: 'Or nothing.' },
      open: { 'x-kubernetes-preserve-unknown-fields': true },
      openList: { 'x-kubernetes-preserve-unknown-fields': true },
      either: { type: 'string' },
      names: { type: 'object', additionalProperties: {} },
    })
    expect(at(definitions, 'example.kubeflow.v1.Anything')).toEqual({
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group: 'kubeflow.example', version: 'v1', kind: 'Anything' }],
    })
  })

  it('is there in the protobuf form that older clients ask for', async () => {
    const response = await get(openApiDocuments(source()), '/openapi/v2', {
      accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
    })
    expect(response.headers['content-type']).toBe(
      'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    )
    const fields = topLevelFields(response.body as Buffer)
    expect(fields.get(1)?.toString()).toBe('2.0')
    // Definitions are repeated pairs of a name and a schema.
    expect(fields.get(9)?.includes(Buffer.from('io.k8s.api.core.v1.PodSpec'))).toBe(true)
    expect(fields.get(8)?.includes(Buffer.from('/api/v1/namespaces/{namespace}/pods'))).toBe(true)
  })

  it('refuses forms that it does not have', async () => {
    await expect(
      get(openApiDocuments(source()), '/openapi/v2', { accept: 'text/html' }),
    ).rejects.toMatchObject({
      code: 406,
    })
  })
})

/** The length-delimited fields of a protobuf message. */
function topLevelFields(message: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const length = varint()
    fields.set(tag >> 3, message.subarray(at, at + length))
    at += length
  }
  expect(at).toBe(message.length)
  return fields
}
