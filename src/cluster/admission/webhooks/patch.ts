import { isDeepStrictEqual } from 'node:util'
import { type Admission, apiVersionOf, type ResourceDefinition } from '../../registry/index.ts'
import { jsonPatch } from '../../registry/patch/index.ts'
import {
  decodeCustom,
  DecodingError,
  decodeValue,
  kindOf,
  schemaFor,
  syntaxErrorOf,
  targetShape,
} from '../../registry/schema/index.ts'
import {
  internalError,
  type Json,
  type JsonObject,
  type KubeObject,
  NumberRangeError,
  parseExactJson,
  StatusError,
} from '../../../kube/index.ts'
import { UnusableAnswer } from './answer.ts'
import { convertedTo, type Invocation, objectsIn } from './invocation.ts'

/**
 * Changes the object of a request as a webhook's patch says, in place, and gives it the defaults of its kind.
 *
 * @returns true when the object is another one than before.
 * @throws {UnusableAnswer} for what is no patch.
 * @throws {StatusError} `InternalError` when it does not fit the object, or makes it what its kind cannot be.
 */
export async function applyWebhookPatch(
  patch: string,
  { webhook, seenAs }: Invocation,
  admission: Admission,
): Promise<boolean> {
  const operations = operationsIn(patch)
  if (operations.length === 0) return false
  const { object } = await objectsIn(seenAs, admission)
  // The options of a stream have been read by then.
  if (!object || !admission.object || admission.operation === 'CONNECT')
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  const { resource } = admission.request
  // A subresource may be of a kind of its own, which has no defaults: a scale.
  const own = object.kind === seenAs.kind ? seenAs : undefined
  const next = decoded(patched(asJson(object), operations), own ?? kindOfObject(object))
  const isChanged = !isDeepStrictEqual(next, object)
  own?.setDefaults?.(next)
  const isForeign = own !== undefined && own !== resource
  replace(admission.object, isForeign ? await convertedTo(resource, next, own) : next)
  return isChanged
}

function operationsIn(text: string): JsonObject[] {
  const undecodable = (why: string): UnusableAnswer =>
    new UnusableAnswer(`received undecodable patch in webhook response: ${why}`)
  let value: Json
  try {
    value = parseExactJson(text)
  } catch (error) {
    throw undecodable(error instanceof NumberRangeError ? error.message : syntaxErrorOf(text))
  }
  if (value === null) return []
  if (!Array.isArray(value))
    throw undecodable(`json: cannot unmarshal ${kindOf(value)} into Go value of type jsonpatch.Patch`)
  return value.map((one) => {
    if (typeof one === 'object' && one !== null && !Array.isArray(one)) return one
    throw undecodable(`json: cannot unmarshal ${kindOf(one)} into Go value of type jsonpatch.Operation`)
  })
}

function patched(object: JsonObject, operations: readonly JsonObject[]): JsonObject {
  try {
    return jsonPatch(object, operations)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw internalError(complaint(object, operations), error)
  }
}

/** More operations than these are not tried one by one for the one that does not fit. */
const mostTried = 100

/** Why a patch does not fit, in the words of the library that Kubernetes applies patches with. */
function complaint(object: JsonObject, operations: readonly JsonObject[]): string {
  let current = object
  for (const operation of operations.slice(0, mostTried)) {
    try {
      current = jsonPatch(current, [operation])
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return misfit(operation)
    }
  }
  return 'the patch does not apply: missing value'
}

function misfit({ op, path, from }: JsonObject): string {
  const at = String(path ?? '')
  switch (op) {
    case 'add':
      return `add operation does not apply: doc is missing path: ${JSON.stringify(at)}: missing value`
    case 'remove':
      return `error in remove for path: '${at}': Unable to remove nonexistent key: ${at.split('/').at(-1) ?? ''}: missing value`
    case 'replace':
      return `replace operation does not apply: doc is missing key: ${at}: missing value`
    case 'test':
      return `testing value ${at} failed: test failed`
    case 'move':
    case 'copy':
      return `error in ${op} for path: '${at}': doc is missing from path: ${String(from ?? '')}: missing value`
    default:
      return `Unexpected kind: ${String(op)}`
  }
}

type Kind = Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'schema' | 'isCustom'>

function kindOfObject({ kind = '', apiVersion = '' }: KubeObject): Kind {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { group, version, kind, schema: schemaFor(group, version, kind) }
}

function decoded(object: JsonObject, target: Kind): KubeObject {
  object['metadata'] ??= {}
  const { group, version, kind } = target
  try {
    if (target.isCustom) decodeCustom(object, target, { group, version, kind })
    else decodeValue(object, targetShape(target))
  } catch (error) {
    if (error instanceof DecodingError) throw internalError(error.message, error)
    throw error
  }
  // Decoding has brought it into the form of its kind.
  return Object.assign(object as unknown as KubeObject, { kind, apiVersion: apiVersionOf(target) })
}

/** Everybody who has the object in hand sees what has become of it. */
function replace(object: KubeObject, next: KubeObject): void {
  for (const field of Object.keys(object)) if (!(field in next)) delete object[field]
  Object.assign(object, next)
}

function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject
}
