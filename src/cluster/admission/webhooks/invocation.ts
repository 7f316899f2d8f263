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

/**
 * Is this webhook to be asked?
 *
 * @throws {StatusError} `Forbidden` when its conditions cannot be evaluated and it fails closed.
 */
export function invocationOf(webhook: Webhook, admission: Admission, parts: Parts): Invocation | undefined {
  const seenAs = versionFor(webhook, admission, parts)
  if (!seenAs || !selects(webhook.selectors, admission, parts.reader)) return undefined
  if (webhook.conditions.length > 0 && !conditionsMet(webhook, seenAs, admission, parts)) return undefined
  return { webhook, seenAs }
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

function conditionsMet(
  { conditions, failsOpen }: Webhook,
  seenAs: ResourceDefinition,
  admission: Admission,
  parts: Parts,
): boolean {
  const seen = { ...admission, ...objectsIn(seenAs, admission) }
  const held = conditionsHold(conditions, requestBindings(seen, parts, seenAs))
  if (typeof held === 'boolean') return held
  if (failsOpen) return false
  const { request, object } = admission
  const { group, plural } = request.resource
  throw forbidden({ group, kind: plural, name: request.name || object?.metadata?.name || '' }, held)
}

/** The objects of a request in a version of the resource. Those of its own version are the request's, not copies. */
export function objectsIn(
  seenAs: ResourceDefinition,
  { request, operation, object, oldObject }: Admission,
): Pick<Admission, 'object' | 'oldObject'> {
  const convert = (one: KubeObject): KubeObject =>
    seenAs === request.resource || operation === 'CONNECT' ? one : convertedTo(seenAs, one, request.resource)
  return {
    ...(object && { object: convert(object) }),
    ...(oldObject && { oldObject: convert(oldObject) }),
  }
}

/** A copy of an object in another version of its resource. */
export function convertedTo(
  target: ResourceDefinition,
  object: KubeObject,
  source: ResourceDefinition,
): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = structuredClone(object)
  return typed(target, source.convert ? source.convert.toStored(rest) : rest)
}
