import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readIfThere, writePrivateFile } from '../../files.ts'
import type { Credential } from './issuing.ts'
import type { SigningAnswer, SigningRequest } from './request-signing.ts'

export type { Credential } from './issuing.ts'

const day = 24 * 60 * 60 * 1000
const authorityLifetimeMs = 10 * 365 * day
const leafLifetimeMs = 3 * 365 * day
/** Certificates with less than this left are renewed at a start: a cluster may run that long without another one. */
const renewalMarginMs = 365 * day

const serverDnsNames = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]
const serverIpAddresses = ['127.0.0.1', '::1', '10.96.0.1']

/** Everything the API server needs to prove itself and to recognise others. All PEM. */
export interface Pki {
  /** Certificate of the authority: clients trust it, and the server trusts client certificates it signed. */
  readonly authority: string
  readonly serving: Credential
  /** `kubernetes-admin` in group `system:masters`. */
  readonly admin: Credential
  /** EC P-256 private key that signs service account tokens. */
  readonly tokenKey: string
  /** Signs a client certificate: the common name is the user, the organisations are the groups. */
  issueClientCertificate(request: ClientCertificateRequest): Promise<Credential>
  /** Signs what an approved certificate signing request asks for, or says why not; undefined for others' signers. */
  signRequest(request: SigningRequest): Promise<SigningAnswer | undefined>
}

/** Whom a client certificate is for: the user as common name, groups as organisations. */
export interface ClientCertificateRequest {
  readonly user: string
  readonly groups?: readonly string[]
  /** Three years when left out. */
  readonly lifetimeMs?: number
}

/** What certificates are made for. */
export interface PkiOptions {
  /** Host names and IP addresses that clients may use besides the usual ones. */
  readonly extraNames?: readonly string[]
  now?(): Date
}

/**
 * Opens the certificates in a directory, making what is missing and renewing what is near its end. Keys are readable by
 * their owner alone. A second start reads files only: the certificate library is not even loaded.
 */
export async function openPki(directory: string, options: PkiOptions = {}): Promise<Pki> {
  const now = options.now ?? (() => new Date())
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // It may have been there before, and open.
  await chmod(directory, 0o700)
  const [storedAuthority, storedServing, storedAdmin, storedTokenKey] = await Promise.all([
    readCredential(directory, 'ca'),
    readCredential(directory, 'apiserver'),
    readCredential(directory, 'admin'),
    readIfThere(join(directory, 'sa.key')),
  ])
  const authority =
    storedAuthority && isAlive(storedAuthority, now())
      ? storedAuthority
      : await store(directory, 'ca', await newAuthority(now(), storedAuthority))
  const names = serverNames(options.extraNames ?? [])
  const [serving, admin, tokenKey] = await Promise.all([
    storedServing && isUsable(storedServing, authority, now()) && covers(storedServing, names)
      ? storedServing
      : newServing(authority, names, now()).then((made) => store(directory, 'apiserver', made)),
    storedAdmin && isUsable(storedAdmin, authority, now())
      ? storedAdmin
      : newClient(authority, { user: 'kubernetes-admin', groups: ['system:masters'] }, now()).then((made) =>
          store(directory, 'admin', made),
        ),
    storedTokenKey ?? newTokenKey(directory),
  ])
  return {
    authority: authority.certificate,
    serving,
    admin,
    tokenKey,
    issueClientCertificate: (request) => newClient(authority, request, now()),
    async signRequest(request) {
      const { signRequest } = await import('./request-signing.ts')
      return signRequest(authority, request, now())
    },
  }
}

interface ServerNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

function serverNames(extra: readonly string[]): ServerNames {
  const addresses = extra.filter((name) => isIP(name) !== 0)
  const names = extra.filter((name) => isIP(name) === 0)
  return {
    dnsNames: [...new Set([...serverDnsNames, ...names])],
    ipAddresses: [...new Set([...serverIpAddresses, ...addresses])],
  }
}

/**
 * Keeps the key of one that is out of its time: a clock that was wrong for one start must not make all kubeconfigs bad.
 * They hold the former certificate, which is good again, for the same key, when the clock is.
 */
async function newAuthority(now: Date, former: Credential | undefined): Promise<Credential> {
  const { issueAuthority } = await import('./issuing.ts')
  const key = former && isPair(former) ? former.key : undefined
  return issueAuthority('arena-ca', authorityLifetimeMs, now, key)
}

async function newServing(authority: Credential, names: ServerNames, now: Date): Promise<Credential> {
  const { issueLeaf } = await import('./issuing.ts')
  return issueLeaf(authority, {
    commonName: 'kube-apiserver',
    usage: 'server',
    ...names,
    lifetimeMs: leafLifetimeMs,
    now,
  })
}

async function newClient(
  authority: Credential,
  request: ClientCertificateRequest,
  now: Date,
): Promise<Credential> {
  const { issueLeaf } = await import('./issuing.ts')
  return issueLeaf(authority, {
    commonName: request.user,
    organisations: request.groups ?? [],
    usage: 'client',
    lifetimeMs: request.lifetimeMs ?? leafLifetimeMs,
    now,
  })
}

async function newTokenKey(directory: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  await writePrivateFile(join(directory, 'sa.key'), pem)
  return pem
}

async function readCredential(directory: string, name: string): Promise<Credential | undefined> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(directory, `${name}.crt`)),
    readIfThere(join(directory, `${name}.key`)),
  ])
  return certificate !== undefined && key !== undefined ? { certificate, key } : undefined
}

async function store(directory: string, name: string, credential: Credential): Promise<Credential> {
  // Key first: a crash between the two leaves a pair that does not match, which the next start replaces.
  await writePrivateFile(join(directory, `${name}.key`), credential.key)
  await writePrivateFile(join(directory, `${name}.crt`), credential.certificate)
  return credential
}

/** The pair belongs together, has begun and has not ended: the clock may have been wrong when it was made, or be so now. */
function isAlive(credential: Credential, now: Date, marginMs = 0): boolean {
  const certificate = new X509Certificate(credential.certificate)
  return (
    Date.parse(certificate.validFrom) <= now.getTime() &&
    Date.parse(certificate.validTo) - now.getTime() > marginMs &&
    isPair(credential)
  )
}

function isPair({ certificate, key }: Credential): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}

function isUsable(credential: Credential, authority: Credential, now: Date): boolean {
  return (
    isAlive(credential, now, renewalMarginMs) &&
    new X509Certificate(credential.certificate).verify(new X509Certificate(authority.certificate).publicKey)
  )
}

function covers(credential: Credential, names: ServerNames): boolean {
  const certificate = new X509Certificate(credential.certificate)
  return (
    names.dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    names.ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  )
}
