import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import type { Reader, UserInfo } from '../registry/index.ts'
import type { KubeObject } from '../../kube/index.ts'
import { accountGroups, accountUserName } from './users.ts'

/** What the API server calls itself in tokens, and the audience of tokens that name none. */
export const defaultIssuer = 'https://kubernetes.default.svc'
const legacyIssuer = 'kubernetes/serviceaccount'
const algorithm = 'ES256'
/** The clocks of objects being deleted may differ by that much; as in Kubernetes. */
const deletionLeewayMs = 60_000

/** An object that a token lives and dies with. */
export interface BoundObject {
  readonly name: string
  readonly uid: string
}

/** `kubernetes.io` of a token. */
interface BoundClaims {
  readonly namespace: string
  readonly serviceaccount: BoundObject
  readonly pod?: BoundObject
  readonly secret?: BoundObject
  readonly node?: { readonly name: string; readonly uid?: string }
  readonly warnafter?: number
}

export interface MintRequest {
  readonly account: KubeObject
  readonly audiences: readonly string[]
  readonly lifetimeSeconds: number
  readonly pod?: BoundObject
  readonly secret?: BoundObject
  readonly node?: { readonly name: string; readonly uid?: string }
  readonly warnAfterSeconds?: number
}

/** A token whose signature, form and time are right; whether what it is bound to still lives is asked every time. */
export interface VerifiedToken {
  readonly user: UserInfo
  readonly audiences: readonly string[]
  /** Milliseconds since the epoch; absent for tokens that never expire. */
  readonly expiresAt?: number
  /** Do the account and whatever else it is bound to still exist? */
  isAlive(reader: Reader, now: number): boolean
}

/** Makes and checks the tokens of service accounts, signed with the cluster's own key. */
export interface AccountTokens {
  readonly issuer: string
  mint(request: MintRequest): Promise<{ token: string; expiresAt: Date }>
  /** The token kept in a secret of type `kubernetes.io/service-account-token`: it has no end. */
  mintLegacy(account: KubeObject, secretName: string): Promise<string>
  /** Undefined when the token is not one of ours, has been changed, or is out of its time. */
  verify(token: string): Promise<VerifiedToken | undefined>
  /** `/.well-known/openid-configuration` and `/openid/v1/jwks`, of a server at `host:port`. */
  discovery(address: string): Promise<{ configuration: object; keys: object }>
}

/** Signs and verifies service account tokens with an EC P-256 key. */
export function createAccountTokens(options: {
  readonly key: string
  readonly issuer?: string
  readonly now?: () => number
}): AccountTokens {
  const issuer = options.issuer ?? defaultIssuer
  const now = options.now ?? Date.now
  const privateKey = createPrivateKey(options.key)
  const publicKey = createPublicKey(privateKey)
  const keyId = keyIdOf(publicKey)

  return {
    issuer,
    async mint(request) {
      const { SignJWT } = await import('jose')
      const seconds = Math.floor(now() / 1000)
      const claims: BoundClaims = {
        namespace: request.account.metadata.namespace ?? '',
        ...(request.node && { node: request.node }),
        ...(request.pod && { pod: request.pod }),
        ...(request.secret && { secret: request.secret }),
        serviceaccount: {
          name: request.account.metadata.name ?? '',
          uid: request.account.metadata.uid ?? '',
        },
        ...(request.warnAfterSeconds !== undefined && { warnafter: seconds + request.warnAfterSeconds }),
      }
      const token = await new SignJWT({
        aud: [...request.audiences],
        'kubernetes.io': claims,
      })
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(issuer)
        .setSubject(accountUserName({ namespace: claims.namespace, name: claims.serviceaccount.name }))
        .setIssuedAt(seconds)
        .setNotBefore(seconds)
        .setExpirationTime(seconds + request.lifetimeSeconds)
        .setJti(randomUUID())
        .sign(privateKey)
      return { token, expiresAt: new Date((seconds + request.lifetimeSeconds) * 1000) }
    },
    async mintLegacy(account, secretName) {
      const { SignJWT } = await import('jose')
      const { namespace = '', name = '', uid = '' } = account.metadata
      return new SignJWT({
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secretName,
        'kubernetes.io/serviceaccount/service-account.name': name,
        'kubernetes.io/serviceaccount/service-account.uid': uid,
      })
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(legacyIssuer)
        .setSubject(accountUserName({ namespace, name }))
        .sign(privateKey)
    },
    async verify(token) {
      const { errors, jwtVerify } = await import('jose')
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [algorithm],
          issuer: [issuer, legacyIssuer],
          currentDate: new Date(now()),
        })
        return payload.iss === legacyIssuer ? readLegacy(payload, token, issuer) : readBound(payload)
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
    async discovery(address) {
      const { exportJWK } = await import('jose')
      return {
        configuration: {
          issuer,
          // The issuer is a name that only programs in the cluster can resolve.
          jwks_uri: `https://${address}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [algorithm],
        },
        keys: {
          keys: [{ use: 'sig', ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm }],
        },
      }
    },
  }
}

function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
}

function readBound(payload: Readonly<Record<string, unknown>>): VerifiedToken | undefined {
  const claims = readClaims(payload['kubernetes.io'])
  if (!claims || typeof payload.exp !== 'number') return undefined
  const account = { namespace: claims.namespace, name: claims.serviceaccount.name }
  if (payload.sub !== accountUserName(account)) return undefined
  const extra: Record<string, readonly string[]> = {}
  const note = (key: string, value: string | undefined): void => {
    if (value) extra[`authentication.kubernetes.io/${key}`] = [value]
  }
  if (typeof payload.jti === 'string') note('credential-id', `JTI=${payload.jti}`)
  note('pod-name', claims.pod?.name)
  note('pod-uid', claims.pod?.uid)
  note('node-name', claims.node?.name)
  note('node-uid', claims.node?.uid)
  return {
    user: {
      name: accountUserName(account),
      uid: claims.serviceaccount.uid,
      groups: accountGroups(account.namespace),
      extra,
    },
    audiences: readAudiences(payload.aud),
    expiresAt: payload.exp * 1000,
    isAlive: (reader, now) =>
      lives(reader, '/serviceaccounts', claims.namespace, claims.serviceaccount, now) &&
      (!claims.pod || lives(reader, '/pods', claims.namespace, claims.pod, now)) &&
      (!claims.secret || lives(reader, '/secrets', claims.namespace, claims.secret, now)) &&
      // A token that is bound to a pod names the node for information; one bound to a node alone dies with it.
      (!claims.node?.uid ||
        claims.pod !== undefined ||
        lives(reader, '/nodes', undefined, { name: claims.node.name, uid: claims.node.uid }, now)),
  }
}

function readLegacy(
  payload: Readonly<Record<string, unknown>>,
  token: string,
  issuer: string,
): VerifiedToken | undefined {
  const namespace = payload['kubernetes.io/serviceaccount/namespace']
  const name = payload['kubernetes.io/serviceaccount/service-account.name']
  const uid = payload['kubernetes.io/serviceaccount/service-account.uid']
  const secretName = payload['kubernetes.io/serviceaccount/secret.name']
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined
  if (typeof uid !== 'string' || typeof secretName !== 'string') return undefined
  if (payload.sub !== accountUserName({ namespace, name })) return undefined
  const encoded = Buffer.from(token).toString('base64')
  return {
    user: { name: accountUserName({ namespace, name }), uid, groups: accountGroups(namespace) },
    audiences: [issuer],
    isAlive: (reader, now) => {
      const secret = reader.get('/secrets', namespace, secretName)
      const data = secret?.data
      return (
        lives(reader, '/serviceaccounts', namespace, { name, uid }, now) &&
        secret !== undefined &&
        secret.metadata.labels?.['kubernetes.io/legacy-token-invalid-since'] === undefined &&
        typeof data === 'object' &&
        data !== null &&
        'token' in data &&
        data.token === encoded
      )
    },
  }
}

function lives(
  reader: Reader,
  resource: string,
  namespace: string | undefined,
  object: BoundObject,
  now: number,
): boolean {
  const found = reader.get(resource, namespace, object.name)
  if (!found || found.metadata.uid !== object.uid) return false
  const deletion = found.metadata.deletionTimestamp
  return deletion === undefined || Date.parse(deletion) > now - deletionLeewayMs
}

function readClaims(value: unknown): BoundClaims | undefined {
  if (!isRecord(value) || typeof value.namespace !== 'string') return undefined
  const serviceaccount = readBoundObject(value.serviceaccount)
  if (!serviceaccount) return undefined
  const pod = readBoundObject(value.pod)
  const secret = readBoundObject(value.secret)
  const node = isRecord(value.node) && typeof value.node.name === 'string' ? value.node : undefined
  return {
    namespace: value.namespace,
    serviceaccount,
    ...(pod && { pod }),
    ...(secret && { secret }),
    ...(node && {
      node: { name: String(node.name), ...(typeof node.uid === 'string' && { uid: node.uid }) },
    }),
  }
}

function readBoundObject(value: unknown): BoundObject | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || typeof value.uid !== 'string') return undefined
  return { name: value.name, uid: value.uid }
}

function readAudiences(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value]
  return list.filter((audience): audience is string => typeof audience === 'string')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
