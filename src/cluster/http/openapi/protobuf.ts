/**
 * The OpenAPI v2 document in the protobuf form that older clients ask for
 * (https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto). Each function writes one message of that
 * file; the numbers are its field numbers.
 */
import type { Json, JsonObject } from '../../../kube/index.ts'

export function encodeDocument(document: JsonObject): Buffer {
  return Buffer.concat([
    text(1, document['swagger']),
    message(2, encodeInfo(object(document['info']))),
    message(8, named(object(document['paths']), 2, encodePath)),
    message(9, named(object(document['definitions']), 1, encodeSchema)),
  ])
}

function encodeInfo(info: JsonObject): Buffer {
  return Buffer.concat([text(1, info['title']), text(2, info['version'])])
}

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const

function encodePath(item: JsonObject): Buffer {
  const parts = Object.entries(methods).map(([method, field]) =>
    item[method] === undefined ? nothing : message(field, encodeOperation(object(item[method]))),
  )
  return Buffer.concat([...parts, ...list(item['parameters']).map((one) => message(9, encodeParameter(one)))])
}

function encodeOperation(operation: JsonObject): Buffer {
  return Buffer.concat([
    ...texts(1, operation['tags']),
    text(3, operation['description']),
    text(5, operation['operationId']),
    ...texts(6, operation['produces']),
    ...texts(7, operation['consumes']),
    ...list(operation['parameters']).map((one) => message(8, encodeParameter(one))),
    message(9, named(object(operation['responses']), 1, encodeResponse)),
    ...texts(10, operation['schemes']),
    ...vendorExtensions(13, operation),
  ])
}

/** `ParametersItem` around `Parameter` around one of its kinds. */
function encodeParameter(parameter: JsonObject): Buffer {
  if (parameter['in'] === 'body') {
    const body = Buffer.concat([
      text(2, parameter['name']),
      text(3, 'body'),
      flag(4, parameter['required']),
      message(5, encodeSchema(object(parameter['schema']))),
    ])
    return message(1, message(1, body))
  }
  const isPath = parameter['in'] === 'path'
  const inner = Buffer.concat([
    flag(1, parameter['required']),
    text(2, parameter['in']),
    text(3, parameter['description']),
    text(4, parameter['name']),
    // Query parameters have one field more before the type.
    text(isPath ? 5 : 6, parameter['type']),
    flag(isPath ? 19 : 20, parameter['uniqueItems']),
  ])
  return message(1, message(2, message(isPath ? 4 : 3, inner)))
}

/** `ResponseValue` around `Response`. */
function encodeResponse(response: JsonObject): Buffer {
  const schema = response['schema']
  const inner = [text(1, response['description'])]
  if (schema !== undefined) inner.push(message(2, message(1, encodeSchema(object(schema)))))
  return message(1, Buffer.concat(inner))
}

function encodeSchema(schema: JsonObject): Buffer {
  const { additionalProperties, items, properties } = schema
  return Buffer.concat([
    text(1, schema['$ref']),
    text(2, schema['format']),
    text(3, schema['title']),
    text(4, schema['description']),
    anything(5, schema['default']),
    double(6, schema['multipleOf']),
    double(7, schema['maximum']),
    flag(8, schema['exclusiveMaximum']),
    double(9, schema['minimum']),
    flag(10, schema['exclusiveMinimum']),
    whole(11, schema['maxLength']),
    whole(12, schema['minLength']),
    text(13, schema['pattern']),
    whole(14, schema['maxItems']),
    whole(15, schema['minItems']),
    flag(16, schema['uniqueItems']),
    whole(17, schema['maxProperties']),
    whole(18, schema['minProperties']),
    ...texts(19, schema['required']),
    ...(Array.isArray(schema['enum']) ? schema['enum'].map((value) => anything(20, value)) : []),
    additionalProperties === undefined
      ? nothing
      : message(21, message(1, encodeSchema(object(additionalProperties)))),
    schema['type'] === undefined ? nothing : message(22, text(1, schema['type'])),
    items === undefined ? nothing : message(23, message(1, encodeSchema(object(items)))),
    properties === undefined ? nothing : message(25, named(object(properties), 1, encodeSchema)),
    ...vendorExtensions(31, schema),
  ])
}

function vendorExtensions(field: number, holder: JsonObject): Buffer[] {
  return Object.keys(holder)
    .filter((key) => key.startsWith('x-'))
    .map((key) => message(field, Buffer.concat([text(1, key), anything(2, holder[key])])))
}

/** A map as repeated pairs of name and value. */
function named(map: JsonObject, field: number, encode: (value: JsonObject) => Buffer): Buffer {
  return Buffer.concat(
    Object.entries(map).map(([name, value]) =>
      message(field, Buffer.concat([text(1, name), message(2, encode(object(value)))])),
    ),
  )
}

const nothing = Buffer.alloc(0)

/** `Any`: the value as YAML, of which JSON is a part. */
function anything(field: number, value: Json | undefined): Buffer {
  return value === undefined ? nothing : message(field, text(2, JSON.stringify(value)))
}

function texts(field: number, values: Json | undefined): Buffer[] {
  return Array.isArray(values) ? values.map((value) => text(field, value)) : []
}

function text(field: number, value: Json | undefined): Buffer {
  return typeof value === 'string' ? message(field, Buffer.from(value)) : nothing
}

function flag(field: number, value: Json | undefined): Buffer {
  return value === true ? Buffer.from([...varint(field << 3), 1]) : nothing
}

function whole(field: number, value: Json | undefined): Buffer {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)
    ? Buffer.from([...varint(field << 3), ...varint(value)])
    : nothing
}

function double(field: number, value: Json | undefined): Buffer {
  if (typeof value !== 'number') return nothing
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([Buffer.from(varint((field << 3) | 1)), bytes])
}

function message(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return bytes
}

function object(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : []
}
