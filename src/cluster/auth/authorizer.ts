import type { UserInfo } from '../registry/index.ts'
import { forbidden, StatusError } from '../../kube/index.ts'

/** A request to a resource, served or not, as its path says. */
export interface ResourceAttributes {
  readonly user: UserInfo
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or any verb that a rule may name. */
  readonly verb: string
  /** '' for the core group. */
  readonly group: string
  readonly resource: string
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  /** Of one object; for collections the name in a field selector `metadata.name=...`. */
  readonly name?: string | undefined
  /** As given in the query. */
  readonly fieldSelector?: string | undefined
}

/** A request to anything else: `/version`, `/healthz`, discovery. The verb is the HTTP method in lower case. */
export interface PathAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly path: string
}

/** What somebody wants to do: to a resource, or at a path that names none. */
export type Attributes = ResourceAttributes | PathAttributes

/** Whether they may. */
export interface Decision {
  readonly allowed: boolean
  /** Who allows it, or what went wrong on the way; often empty. */
  readonly reason: string
}

/** Decides whether a user may do something. Reads memory only: microseconds. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision
}

export function isResourceAttributes(attributes: Attributes): attributes is ResourceAttributes {
  return 'resource' in attributes
}

/** The refusal, in the words of Kubernetes. */
export function refusal(attributes: Attributes, reason: string): StatusError {
  const tail = reason ? `: ${reason}` : ''
  if (!isResourceAttributes(attributes)) return pathRefusal(attributes, tail)
  const { user, verb, group, resource, subresource, namespace, name } = attributes
  const full = subresource ? `${resource}/${subresource}` : resource
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return forbidden(
    { kind: resource, group, ...(name && { name }) },
    `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}${tail}`,
  )
}

/**
 * @throws {StatusError} `Forbidden` when the authorizer does not allow it.
 */
export function assertAuthorized(authorizer: Authorizer, attributes: Attributes): void {
  const decision = authorizer.authorize(attributes)
  if (!decision.allowed) throw refusal(attributes, decision.reason)
}

function pathRefusal(attributes: PathAttributes, tail: string): StatusError {
  const { user, verb, path } = attributes
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${tail}`,
    reason: 'Forbidden',
    details: {},
    code: 403,
  })
}
