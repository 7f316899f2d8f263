import type { Admission } from '../registry/index.ts'
import { forbidden, type StatusCause, type StatusError } from '../../kube/index.ts'

/** `group/plural` of what a request is about, as the reader names it. */
export function resourceOf(admission: Admission): string {
  const { group, plural } = admission.request.resource
  return `${group}/${plural}`
}

/** The name that refusals give: the object's own, or what its name will begin with. */
export function nameOf(admission: Admission): string {
  const { request, object } = admission
  return request.name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown'
}

/** A refusal by admission, worded as kube-apiserver's. */
export function refused(admission: Admission, why: string, causes?: StatusCause[]): StatusError {
  const { group, plural } = admission.request.resource
  return forbidden({ group, kind: plural, name: nameOf(admission) }, why, causes)
}

/** Several complaints as one text: one stands alone, more are listed in brackets, none twice. */
export function joined(complaints: readonly string[]): string {
  const distinct = [...new Set(complaints)]
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`
}
