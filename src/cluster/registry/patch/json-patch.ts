import jsonpatch, { type Operation } from 'fast-json-patch'
import { badRequest, type Json, type JsonObject, requestTooLarge, StatusError } from '../../../kube/index.ts'
import { kindOf } from '../schema/index.ts'
import { copy, isObject } from './put.ts'

const mostOperations = 10_000
const memberNames = new Set(['op', 'path', 'from', 'value'])

/** What strict decoding has against the operations themselves: `json patch unknown field "[0].nonsense"`. */
export function jsonPatchFaults(operations: readonly Json[]): string[] {
  const faults: string[] = []
  for (const [index, operation] of operations.entries())
    if (isObject(operation))
      for (const member of Object.keys(operation))
        if (!memberNames.has(member) && faults.length < 100)
          faults.push(`json patch unknown field ${JSON.stringify(`[${index}].${member}`)}`)
  return faults
}

/**
 * Checks that a body is a list of operations.
 *
 * @throws {StatusError} `BadRequest` or `RequestEntityTooLarge`.
 */
export function asOperations(patch: Json): Json[] {
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kindOf(patch)} into Go value of type []handlers.jsonPatchOp`,
    )
  for (const operation of patch)
    if (operation !== null && !isObject(operation))
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${kindOf(operation)} into Go value of type handlers.jsonPatchOp`,
      )
  if (patch.length > mostOperations)
    throw requestTooLarge(
      `The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`,
    )
  return patch
}

/**
 * Applies a JSON patch (RFC 6902) to a copy.
 *
 * @throws {StatusError} `Invalid` without saying why, as Kubernetes does, when an operation does not fit.
 */
export function jsonPatch(target: JsonObject, operations: readonly Json[]): JsonObject {
  let result: unknown
  try {
    const wanted = operations.map((operation) => copy(operation)) as unknown as Operation[]
    result = jsonpatch.applyPatch(copy(target), wanted, true, true, true).newDocument
  } catch (error) {
    // The library knows bad patches by several error classes; whatever it refuses is a fault of the patch.
    throw unprocessable(error)
  }
  if (!isObject(result)) throw unprocessable(new Error('the patch replaces the object by something else'))
  return result
}

/** Kubernetes' answer to patches that cannot be carried out. */
export function unprocessable(cause?: unknown): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    },
    { cause },
  )
}
