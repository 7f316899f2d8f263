/** Who asks and what they may do: certificates, tokens, RBAC, node rights, reviews. */
import type { Admitter, Reader, Subresource, VirtualResource } from '../registry/index.ts'
import { type AccountTokens, createAccountTokens, defaultIssuer } from './account-tokens.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import type { Authorizer } from './authorizer.ts'
import { createImpersonator, type Impersonator } from './impersonation.ts'
import { createNodeAuthorizer } from './node-authorizer.ts'
import { nodeRestrictionAdmitter } from './node-restriction.ts'
import type { TokenIssuers } from './oidc/issuers.ts'
import { escalationAdmitter } from './rbac/escalation.ts'
import { createRbacAuthorizer } from './rbac/rbac-authorizer.ts'
import { createRuleResolver } from './rbac/rule-resolver.ts'
import { reviewResources } from './reviews.ts'
import { tokenRequestSubresource } from './tokens.ts'

export type { AccountTokens } from './account-tokens.ts'
export type { TokenIssuers } from './oidc/issuers.ts'
export type { Authenticator, PeerSocket } from './authenticator.ts'
export {
  assertAuthorized,
  type Attributes,
  type Authorizer,
  type Decision,
  type PathAttributes,
  refusal,
  type ResourceAttributes,
} from './authorizer.ts'
export {
  type ClientCertificateRequest,
  type Credential,
  openPki,
  type Pki,
  type PkiOptions,
} from './certificates.ts'
export { asksForImpersonation, type DistinctHeaders, type Impersonator } from './impersonation.ts'
export { bootstrapObjects } from './rbac/bootstrap.ts'
export { fillTokenSecret, tokenSecretType } from './token-secrets.ts'
export { accountGroups, accountOfUserName, accountUserName } from './users.ts'

export interface AuthOptions {
  readonly reader: Reader
  /** PEM of the key that signs service account tokens ({@link Pki.tokenKey}). */
  readonly tokenKey: string
  /** What the API server calls itself in tokens. */
  readonly issuer?: string
  /** Others whose tokens are taken ({@link readTokenIssuers}). */
  readonly issuers?: TokenIssuers
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export interface Auth {
  readonly authenticator: Authenticator
  /** Nodes, then RBAC; `system:masters` may do everything. */
  readonly authorizer: Authorizer
  readonly impersonator: Impersonator
  readonly tokens: AccountTokens
  /** Access and token reviews. */
  readonly virtualResources: readonly VirtualResource[]
  /** `serviceaccounts/token`. */
  readonly subresources: readonly Subresource[]
  /** RBAC escalation and node restriction: after all other mutating steps. */
  readonly admitters: readonly Admitter[]
}

/**
 * Everything that decides who asks and what they may do.
 *
 * @example
 * ```ts
 * const auth = createAuth({ reader, tokenKey: pki.tokenKey })
 * let user = await auth.authenticator.authenticate(socket, request.headers.authorization)
 * const attributes = { user, verb: 'list', group: '', resource: 'pods', namespace: 'dev1' }
 * if (asksForImpersonation(request.headers))
 *   user = auth.impersonator.impersonate(attributes, request.headersDistinct)
 * assertAuthorized(auth.authorizer, { ...attributes, user })
 * ```
 */
export function createAuth(options: AuthOptions): Auth {
  const { reader } = options
  const tokens = createAccountTokens({
    key: options.tokenKey,
    ...(options.issuer && { issuer: options.issuer }),
    ...(options.now && { now: options.now }),
  })
  const resolver = createRuleResolver(reader)
  const authorizer = createNodeAuthorizer(reader, createRbacAuthorizer(resolver))
  const authenticator = createAuthenticator({
    reader,
    tokens,
    ...(options.issuers && { issuers: options.issuers }),
    ...(options.now && { now: options.now }),
  })
  return {
    authenticator,
    authorizer,
    impersonator: createImpersonator(authorizer),
    tokens,
    virtualResources: reviewResources({ authenticator, authorizer, resolver, audience: tokens.issuer }),
    subresources: [tokenRequestSubresource({ reader, tokens })],
    admitters: [escalationAdmitter(authorizer, resolver), nodeRestrictionAdmitter(reader)],
  }
}

/**
 * The issuers of an `AuthenticationConfiguration` of Kubernetes.
 *
 * @param file its name, for messages
 * @throws {UserError} `CONFIG_INVALID` naming every fault.
 */
export async function readTokenIssuers(
  text: string,
  file: string,
  options: { readonly signal: AbortSignal; readonly now: () => number; log(line: string): void },
): Promise<TokenIssuers> {
  const [{ parseAuthentication }, { createTokenIssuers }] = await Promise.all([
    import('./oidc/configuration.ts'),
    import('./oidc/issuers.ts'),
  ])
  const issuers = await parseAuthentication(text, file, defaultIssuer)
  return createTokenIssuers(issuers, { ...options, audience: defaultIssuer })
}
