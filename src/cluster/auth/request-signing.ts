import { type CertificateWish, readCertificateRequest } from '../registry/index.ts'
import type { Credential } from './issuing.ts'

const day = 24 * 60 * 60 * 1000
const longestLifetimeMs = 365 * day
const shortestLifetimeMs = 10 * 60 * 1000

/** What a certificate signing request asks of its signer. */
export interface SigningRequest {
  /** PEM of the PKCS#10 request, in base64. */
  readonly request: string
  readonly signerName: string
  readonly usages?: readonly string[] | undefined
  readonly expirationSeconds?: number | undefined
}

/** The certificate (PEM), or why the signer does not issue it. */
export type SigningAnswer = { readonly certificate: string } | { readonly failure: string }

/**
 * Issues what has been approved, when it is what the signer issues; undefined for signers that are not this cluster's.
 * Signers and their conditions: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
export async function signRequest(
  authority: Credential,
  asked: SigningRequest,
  now: Date,
): Promise<SigningAnswer | undefined> {
  const refuse = Object.hasOwn(signers, asked.signerName) ? signers[asked.signerName] : undefined
  if (!refuse) return undefined
  const usages = asked.usages ?? []
  const wish = await readCertificateRequest(asked.request)
  const failure = refuse(wish, usages)
  if (failure !== undefined) return { failure }
  const { issueWish } = await import('./issuing.ts')
  return { certificate: issueWish(authority, wish, { usages, lifetimeMs: lifetimeOf(asked), now }) }
}

function lifetimeOf({ expirationSeconds }: SigningRequest): number {
  if (expirationSeconds === undefined) return longestLifetimeMs
  return Math.min(Math.max(expirationSeconds * 1000, shortestLifetimeMs), longestLifetimeMs)
}

/** Why a signer does not issue something, in the words of Kubernetes; undefined when it does. */
type Refusal = (wish: CertificateWish, usages: readonly string[]) => string | undefined

const signers: Readonly<Record<string, Refusal>> = {
  'kubernetes.io/kube-apiserver-client': (_wish, usages) => {
    const other = usages.find(
      (usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage),
    )
    if (other !== undefined) return `invalid usage for client certificate: ${other}`
    return usages.includes('client auth')
      ? undefined
      : 'missing required usage for client certificate: client auth'
  },
  'kubernetes.io/kube-apiserver-client-kubelet': (wish, usages) =>
    notANode(wish) ??
    notAllowed(wish, 'dns', 'DNS') ??
    notAllowed(wish, 'email', 'Email') ??
    notAllowed(wish, 'ip', 'IP') ??
    notAllowed(wish, 'url', 'URI') ??
    notNamedAsNode(wish) ??
    otherUsages(usages, 'client auth'),
  'kubernetes.io/kubelet-serving': (wish, usages) =>
    notANode(wish) ??
    (wish.names.some(({ type }) => type === 'dns' || type === 'ip')
      ? undefined
      : 'DNS or IP subjectAltName is required') ??
    notAllowed(wish, 'email', 'Email') ??
    notAllowed(wish, 'url', 'URI') ??
    otherUsages(usages, 'server auth') ??
    notNamedAsNode(wish),
}

function notANode({ organisations }: CertificateWish): string | undefined {
  return organisations.length === 1 && organisations[0] === 'system:nodes'
    ? undefined
    : 'subject organization is not system:nodes'
}

function notNamedAsNode({ commonName }: CertificateWish): string | undefined {
  return commonName.startsWith('system:node:')
    ? undefined
    : 'subject common name does not begin with system:node:'
}

function notAllowed({ names }: CertificateWish, type: string, called: string): string | undefined {
  return names.some((name) => name.type === type) ? `${called} subjectAltNames are not allowed` : undefined
}

/** Key encipherment is for RSA keys alone, so it may be left out. */
function otherUsages(usages: readonly string[], role: string): string | undefined {
  const wanted = [role, 'digital signature', 'key encipherment'].sort()
  const given = [...new Set([...usages, 'key encipherment'])].sort()
  return given.join() === wanted.join() ? undefined : `usages did not match [${wanted.join(' ')}]`
}
