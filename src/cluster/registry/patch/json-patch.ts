import jsonpatch, { type Operation } from 'fast-json-patch'
import { badRequest, type Json, type JsonObject, requestTooLarge } from '../../../kube/index.ts'
import { countKeys, keyFaults, kindOf, measure } from '../schema/index.ts'
import { copy, isObject, own } from './put.ts'
import { unprocessable } from './refusals.ts'

const mostOperations = 10_000
const memberNames = new Set(['op', 'path', 'from', 'value'])

/** What strict decoding has against the operations themselves: `json patch unknown field "[0].nonsense"`. */
export function jsonPatchFaults(text: string, operations: readonly Json[]): string[] {
  const unknown = new Set<string>()
  for (const [index, operation] of operations.entries())
    if (isObject(operation))
      for (const member of Object.keys(operation))
        if (!memberNames.has(member)) unknown.add(`[${index}].${member}`)
  if (unknown.size === 0 && measure(text).keys === countKeys([...operations])) return []
  return keyFaults(text, unknown).map(({ is, path }) => `json patch ${is} field ${JSON.stringify(path)}`)
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
  let result: Json = copy(target)
  try {
    for (const [index, given] of operations.entries()) result = applyOperation(result, given, index)
  } catch (error) {
    // The library knows bad patches by several error classes; whatever it refuses is a fault of the patch.
    throw unprocessable(error)
  }
  if (!isObject(result)) throw unprocessable(new Error('the patch replaces the object by something else'))
  return result
}

/**
 * Carries out one operation of a JSON patch, in place as far as that goes.
 *
 * @throws {Error} when it does not fit; a test that fails is one whose name is `TEST_OPERATION_FAILED`.
 */
export function applyOperation(document: Json, given: Json, index: number): Json {
  const operation: Json | undefined = isObject(given) ? inPlainForm(copy(given), document) : given
  if (operation === undefined) return document
  return jsonpatch.applyOperation<Json>(document, operation as unknown as Operation, true, true, true, index)
    .newDocument
}

/**
 * What Kubernetes allows beyond the standard, in the standard's terms: indices that count from the end of a list, and a
 * test for null of a member that is not there, which holds (undefined).
 */
function inPlainForm(operation: JsonObject, document: Json): JsonObject | undefined {
  const { op, path, from } = operation
  if (typeof path === 'string') {
    const adds = op === 'add' || op === 'move' || op === 'copy'
    operation['path'] = withoutNegatives(path, document, adds)
    checkParents(operation['path'], document)
    if (isAbsent(operation['path'], document)) {
      if (op === 'test' && operation['value'] === null) return undefined
      if (!adds) throw new Error(`the document has nothing at ${path}`)
    }
  }
  if (typeof from === 'string') {
    // Kubernetes finds nothing at the root; and RFC 6902 (4.4) moves nothing into itself, which would never end.
    if (from === '' || (op === 'move' && String(path).startsWith(`${from}/`)))
      throw new Error(`the document cannot go from ${from} to a place below`)
    operation['from'] = withoutNegatives(from, document, false)
    checkParents(operation['from'], document)
    if (isAbsent(operation['from'], document)) throw new Error(`the document has nothing at ${from}`)
  }
  return operation
}

/** The library would follow inherited properties (`toString`) out of the document. */
function checkParents(path: string, document: Json): void {
  let at: Json | undefined = document
  for (const step of path.split('/').slice(1)) {
    if (at === undefined) throw new Error(`the document has nothing at ${path}`)
    at = memberOf(at, step)
  }
}

function withoutNegatives(path: string, document: Json, adds: boolean): string {
  if (!/\/-\d/.test(path)) return path
  const steps = path.split('/')
  let at: Json | undefined = document
  for (const [index, step] of steps.entries()) {
    if (index === 0) continue
    let resolved = step
    if (Array.isArray(at) && /^-[1-9]\d*$/.test(step)) {
      // A new item makes the list longer by one, and -1 is its new end.
      const length = at.length + (adds && index === steps.length - 1 ? 1 : 0)
      if (Number(step) + length >= 0) resolved = String(Number(step) + length)
      steps[index] = resolved
    }
    at = memberOf(at, resolved)
  }
  return steps.join('/')
}

/** True when the last member of the path is not in the object that is there. */
function isAbsent(path: string, document: Json): boolean {
  const steps = path.split('/').slice(1)
  const last = steps.pop()
  let at: Json | undefined = document
  for (const step of steps) at = memberOf(at, step)
  return last !== undefined && isObject(at) && memberOf(at, last) === undefined
}

function memberOf(value: Json | undefined, step: string): Json | undefined {
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
  if (Array.isArray(value)) return /^\d+$/.test(name) ? value[Number(name)] : undefined
  return isObject(value) ? own(value, name) : undefined
}
