import type { Reader, ResourceDefinition, UserInfo, Writer } from '../registry/index.ts'
import type { WebhookCaller } from '../registry/webhooks/index.ts'

/** What somebody may or may not do, as a CEL expression asks of the `authorizer`. */
export interface AuthorizationQuestion {
  readonly verb: string
  readonly group?: string
  readonly version?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** For paths that name no resource. */
  readonly path?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

/** May they, and who says so. `reason` may be empty. */
export interface AuthorizationAnswer {
  readonly allowed: boolean
  readonly reason: string
}

/** A served kind, as far as admission wants to know it. */
export interface ServedKind {
  readonly plural: string
  readonly namespaced: boolean
}

/** What the steps of admission work with. */
export interface AdmissionContext {
  readonly reader: Reader
  readonly writer: Writer
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Decides from memory, at once. */
  readonly authorize: (user: UserInfo, question: AuthorizationQuestion) => AuthorizationAnswer
  /** The resource of a kind in any of its versions; undefined when none is served. */
  readonly findKind: (group: string, kind: string) => ServedKind | undefined
  /** Every group and version in which the objects of a resource are served, the one given among them. */
  readonly servedVersions: (resource: ResourceDefinition) => readonly ResourceDefinition[]
  readonly webhooks: WebhookCaller
}
