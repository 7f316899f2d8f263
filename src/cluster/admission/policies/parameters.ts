import type { ParamKind, ParamRef } from 'kubernetes-types/admissionregistration/v1.js'
import { type KubeObject, labelSelectorOf, matchesLabels } from '../../../kube/index.ts'
import type { AdmissionContext } from '../context.ts'

/** A policy or binding that cannot be applied; the message says why. */
export class MisconfiguredError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MisconfiguredError'
  }
}

/**
 * The objects that a binding names as parameters, each with kind and apiVersion. A single undefined: the policy runs
 * without parameters; none: there is nothing to run it with.
 *
 * @throws {MisconfiguredError}
 */
export function parametersOf(
  kind: ParamKind | undefined,
  reference: ParamRef | undefined,
  namespace: string | undefined,
  { reader, findKind }: Pick<AdmissionContext, 'reader' | 'findKind'>,
): (KubeObject | undefined)[] {
  if (kind === undefined || reference === undefined) return [undefined]
  const { apiVersion = '', kind: kindName = '' } = kind
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  const served = findKind(group, kindName)
  if (served === undefined)
    throw new MisconfiguredError(`paramKind kind \`${apiVersion}, Kind=${kindName}\` not known`)
  const place = placeOf(reference, served.namespaced, namespace)
  const { name, selector } = reference
  if (name && selector)
    throw new MisconfiguredError('paramRef.name and paramRef.selector are mutually exclusive')
  if (!name && selector === undefined) {
    throw new MisconfiguredError('one of paramRef.name or paramRef.selector must be provided')
  }
  const resource = `${group}/${served.plural}`
  const found: KubeObject[] = []
  if (name) {
    const object = reader.get(resource, place, name)
    if (object !== undefined) found.push(object)
  } else if (selector !== undefined) {
    const requirements = labelSelectorOf(selector)
    for (const object of reader.list(resource, place)) {
      if (matchesLabels(requirements, object.metadata.labels)) found.push(object)
    }
  }
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny') {
    throw new MisconfiguredError('no params found for policy binding with `Deny` parameterNotFoundAction')
  }
  return found.map((object) => ({ apiVersion, kind: kindName, ...object }))
}

function placeOf(
  reference: ParamRef,
  isNamespaced: boolean,
  namespace: string | undefined,
): string | undefined {
  if (!isNamespaced) {
    if (reference.namespace) {
      throw new MisconfiguredError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
    }
    return undefined
  }
  const place = reference.namespace || namespace
  if (!place) {
    throw new MisconfiguredError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  }
  return place
}
