import { type Admission, type ResourceDefinition, typed } from '../../registry/index.ts'
import { forbidden, type KubeObject } from '../../../kube/index.ts'
import type { AdmissionContext } from '../context.ts'
import { requestBindings } from '../policies/bindings.ts'
import { conditionsHold } from '../policies/evaluation.ts'
import { ruleNames, ruleTakesVersion, selects } from '../policies/matching.ts'
import type { Webhook } from './configured.ts'

/** A webhook that is to be asked, and the version of the resource in which it wants to see the objects. */
export interface Invocation {
  readonly webhook: Webhook
  readonly seenAs: ResourceDefinition
}

type Parts = Pick<AdmissionContext, 'reader' | 'authorize' | 'servedVersions'>

/** Is this webhook to be asked, by its rules and selectors? */
export function invocationOf(webhook: Webhook, admission: Admission, parts: Parts): Invocation | undefined {
  const seenAs = versionFor(webhook, admission, parts)
  return seenAs && selects(webhook.selectors, admission, parts.reader) ? { webhook, seenAs } : undefined
}

/** The version that a rule names: that of the request if any does, else another in which the same object is served. */
function versionFor(
  { rules, takesEquivalents }: Webhook,
  admission: Admission,
  { servedVersions }: Parts,
): ResourceDefinition | undefined {
  const { resource } = admission.request
  const concerned = rules.filter((rule) => ruleNames(rule, admission))
  if (concerned.length === 0) return undefined
  if (concerned.some((rule) => ruleTakesVersion(rule, resource))) return resource
  // The options of a stream have one form alone.
  if (!takesEquivalents || admission.operation === 'CONNECT') return undefined
  const others = servedVersions(resource)
  for (const rule of concerned) {
    const found = others.find((one) => ruleTakesVersion(rule, one))
    if (found) return found
  }
  return undefined
}

/**
 * Is it to be asked by its conditions, too?
 *
 * @throws {StatusError} `Forbidden` when they cannot be evaluated and it fails closed.
 */
export async function conditionsMet(
  { webhook, seenAs }: Invocation,
  admission: Admission,
  parts: Parts,
): Promise<boolean> {
  const { conditions, failsOpen } = webhook
  if (conditions.length === 0) return true
  const seen = { ...admission, ...(await objectsIn(seenAs, admission)) }
  const held = conditionsHold(conditions, requestBindings(seen, parts, seenAs))
  if (typeof held === 'boolean') return held
  if (failsOpen) return false
  const { request, object } = admission
  const { group, plural } = request.resource
  throw forbidden({ group, kind: plural, name: request.name || object?.metadata?.name || '' }, held)
}

/** The objects of a request in a version of the resource. Those of its own version are the request's, not copies. */
export async function objectsIn(
  seenAs: ResourceDefinition,
  { request, object, oldObject }: Admission,
): Promise<Pick<Admission, 'object' | 'oldObject'>> {
  const { resource } = request
  // What a subresource has of its own is the same in all of them.
  const isSame = seenAs === resource || (object?.kind !== undefined && object.kind !== resource.kind)
  const convert = async (one: KubeObject): Promise<KubeObject> =>
    isSame ? one : convertedTo(seenAs, one, resource)
  return {
    ...(object && { object: await convert(object) }),
    ...(oldObject && { oldObject: await convert(oldObject) }),
  }
}

/** A copy of an object in another version of its resource. */
export async function convertedTo(
  target: ResourceDefinition,
  object: KubeObject,
  source: ResourceDefinition,
): Promise<KubeObject> {
  const copy = structuredClone(object)
  const toStored = source.conversion?.toStored ?? source.convert?.toStored
  const { kind: _kind, apiVersion: _apiVersion, ...stored } = toStored ? await toStored(copy) : copy
  const [shown] = (await target.conversion?.fromStored([stored])) ?? [stored]
  return typed(target, shown ?? stored)
}
