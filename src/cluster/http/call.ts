import { methodNotAllowed, type StatusError } from '../../kube/index.ts'
import type { Authorizer } from '../auth/index.ts'
import type { Catalog, Registry, ResourceDefinition, ResourceRequest } from '../registry/index.ts'
import type { AnswerForm } from './answers.ts'
import { type ApiRequest, headerOf } from './message.ts'
import { readWriteQuery, type WriteQuery } from './options.ts'
import type { ResourceTarget, Target } from './target.ts'

export interface ResourceParts {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly authorizer: Authorizer
  /** Does an object exist, in the newest state? For changes that create what is absent. */
  exists(key: string): boolean
  now(): number
}

/** One request on its way through: everything the operations below need. */
export interface Call {
  readonly parts: ResourceParts
  readonly api: ApiRequest
  readonly target: Target
  readonly at: ResourceTarget
  readonly form: AnswerForm
  readonly warnings: string[]
}

export function requestOf(call: Call, resource: ResourceDefinition, write?: WriteQuery): ResourceRequest {
  const { at, api } = call
  return {
    user: api.user,
    verb: at.verb,
    resource,
    ...(at.subresource && { subresource: at.subresource }),
    ...(at.namespace !== undefined && resource.namespaced && { namespace: at.namespace }),
    ...(at.name !== undefined && { name: at.name }),
    dryRun: write?.dryRun ?? false,
    fieldManager: write?.fieldManager ?? 'unknown',
    fieldValidation: write?.fieldValidation ?? 'Warn',
    ...(write && (write.namedManager || write.namedValidation) && { stated: statedIn(write) }),
    get signal() {
      return api.signal
    },
    ...(api.annotate && { annotate: api.annotate }),
    warn: (text) => {
      if (!call.warnings.includes(text)) call.warnings.push(text)
    },
  }
}

function statedIn({ namedManager, namedValidation }: WriteQuery): NonNullable<ResourceRequest['stated']> {
  return {
    ...(namedManager && { fieldManager: namedManager }),
    ...(namedValidation && { fieldValidation: namedValidation }),
  }
}

export function writeQuery(call: Call, kind: string, isApply = false): WriteQuery {
  return readWriteQuery(kind, call.target.query, headerOf(call.api, 'user-agent'), isApply)
}

export function notSupported(): StatusError {
  return methodNotAllowed('the server does not allow this method on the requested resource')
}
