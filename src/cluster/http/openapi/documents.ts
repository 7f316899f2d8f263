import type { JsonObject } from '../../../kube/index.ts'
import { namedSchema } from './forms.ts'
import type { GroupVersion, Kinds, OpenApiSource } from './kinds.ts'
import { type Operation, type PathItem, patchName } from './operation.ts'
import type { Parameter } from './parameters.ts'
import { pathsOf, schemasOf } from './paths.ts'

const info = { title: 'Kubernetes', version: 'v1.36.0' }
const answerTypes = ['application/json', 'application/yaml']
const reasons: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }
const patchSchema = {
  description: 'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
  type: 'object',
}

/** The OpenAPI v3 document of one group and version. */
export function documentV3(source: OpenApiSource, kinds: Kinds, at: GroupVersion): JsonObject {
  const items = pathsOf(source, kinds, at)
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(items.map((item) => [item.path, pathV3(item)])),
    components: { schemas: schemas(kinds, items, 'v3') },
  }
}

/** The OpenAPI v2 document of all groups. */
export function documentV2(source: OpenApiSource, kinds: Kinds, all: readonly GroupVersion[]): JsonObject {
  const items = all.flatMap((at) => pathsOf(source, kinds, at))
  return {
    swagger: '2.0',
    info,
    paths: Object.fromEntries(items.map((item) => [item.path, pathV2(item)])),
    definitions: schemas(kinds, items, 'v2'),
  }
}

function schemas(kinds: Kinds, items: readonly PathItem[], form: 'v2' | 'v3'): JsonObject {
  const used = schemasOf(items)
  const needsPatch = used.delete(patchName)
  return {
    ...Object.fromEntries(kinds.closure(used).map((name) => [name, namedSchema(kinds, name, form)])),
    ...(needsPatch && { [patchName]: patchSchema }),
  }
}

function extensionsOf(operation: Operation): JsonObject {
  const { group, version, kind } = operation.gvk
  return {
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  }
}

function pathV3({ parameters, operations }: PathItem): JsonObject {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationV3(operation)])),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterV3) }),
  }
}

function operationV3(operation: Operation): JsonObject {
  const { body } = operation
  const refersTo = (name: string): JsonObject => ({ schema: { $ref: `#/components/schemas/${name}` } })
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.id,
    ...(operation.parameters.length > 0 && { parameters: operation.parameters.map(parameterV3) }),
    ...(body && {
      requestBody: {
        content: Object.fromEntries(body.mediaTypes.map((type) => [type, refersTo(body.schema)])),
        ...(body.isRequired && { required: true }),
      },
    }),
    responses: {
      ...Object.fromEntries(
        operation.answers.map(([code, schema]) => [
          String(code),
          {
            description: reasons[code] ?? '',
            content: Object.fromEntries(answerTypes.map((type) => [type, refersTo(schema)])),
          },
        ]),
      ),
      '401': { description: 'Unauthorized' },
    },
    ...extensionsOf(operation),
  }
}

function parameterV3(parameter: Parameter): JsonObject {
  return {
    name: parameter.name,
    in: parameter.in,
    description: parameter.description,
    ...(parameter.in === 'path' && { required: true }),
    schema: { type: parameter.type, uniqueItems: true },
  }
}

function pathV2({ parameters, operations }: PathItem): JsonObject {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationV2(operation)])),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterV2) }),
  }
}

function operationV2(operation: Operation): JsonObject {
  const { body } = operation
  const refersTo = (name: string): JsonObject => ({ schema: { $ref: `#/definitions/${name}` } })
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.id,
    consumes: [...(body?.mediaTypes ?? ['*/*'])],
    produces: answerTypes,
    schemes: ['https'],
    parameters: [
      ...(body
        ? [{ name: 'body', in: 'body', ...(body.isRequired && { required: true }), ...refersTo(body.schema) }]
        : []),
      ...operation.parameters.map(parameterV2),
    ],
    responses: {
      ...Object.fromEntries(
        operation.answers.map(([code, schema]) => [
          String(code),
          { description: reasons[code] ?? '', ...refersTo(schema) },
        ]),
      ),
      '401': { description: 'Unauthorized' },
    },
    ...extensionsOf(operation),
  }
}

function parameterV2(parameter: Parameter): JsonObject {
  return {
    name: parameter.name,
    in: parameter.in,
    description: parameter.description,
    type: parameter.type,
    ...(parameter.in === 'path' && { required: true }),
    uniqueItems: true,
  }
}
