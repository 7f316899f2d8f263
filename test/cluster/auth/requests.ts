import type { Admission, Operation } from '../../../src/cluster/registry/admission.ts'
import type { ResourceRequest, UserInfo, Verb } from '../../../src/cluster/registry/request.ts'
import type { KubeObject } from '../../../src/kube/index.ts'

interface RequestOf {
  readonly user: UserInfo
  readonly group?: string
  readonly kind?: string
  readonly plural: string
  readonly verb?: Verb
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly warn?: (text: string) => void
}

/** A request as the registry hands it to hooks and admitters. */
export function requestOf(given: RequestOf): ResourceRequest {
  return {
    user: given.user,
    verb: given.verb ?? 'create',
    resource: {
      group: given.group ?? '',
      version: 'v1',
      kind: given.kind ?? given.plural,
      plural: given.plural,
      singular: given.plural,
      namespaced: given.namespace !== undefined,
      schema: { type: 'object' },
      hasStatus: false,
    },
    ...(given.subresource && { subresource: given.subresource }),
    ...(given.namespace && { namespace: given.namespace }),
    ...(given.name && { name: given.name }),
    dryRun: false,
    fieldManager: 'test',
    fieldValidation: 'Ignore',
    signal: new AbortController().signal,
    warn: given.warn ?? (() => undefined),
  }
}

export function admissionOf(
  operation: Operation,
  request: ResourceRequest,
  objects: { object?: KubeObject; oldObject?: KubeObject },
): Admission {
  return { operation, request, ...objects }
}
