import type { ResourceDefinition } from './resource.ts'

/** Who asks, as authentication found (`authentication.k8s.io/v1 UserInfo`). */
export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** What a request wants, in the words that rules of RBAC use. */
export type Verb = 'create' | 'get' | 'list' | 'watch' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** One request to a served resource, after authentication and parsing, before authorisation. */
export interface ResourceRequest {
  readonly user: UserInfo
  readonly verb: Verb
  readonly resource: ResourceDefinition
  readonly subresource?: string
  /** Absent for cluster-scoped kinds and for requests over all namespaces. */
  readonly namespace?: string
  readonly name?: string
  readonly dryRun: boolean
  readonly fieldManager: string
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  /** The two as the query has them, for those who are shown the options of a write. */
  readonly stated?: { readonly fieldManager?: string; readonly fieldValidation?: string }
  readonly signal: AbortSignal
  /** The server's own doing: policies and webhooks are not asked. */
  readonly isOwn?: true
  /** Adds a `Warning` header to the answer. */
  warn(text: string): void
  /** Adds an annotation to the request's entry in the audit log, where there is one. */
  annotate?(key: string, value: string): void
}
