// oxlint-disable-next-line no-unassigned-import -- the certificate library throws unless this came first
import 'reflect-metadata'
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { CertificateWish } from '../registry/index.ts'

// Loading this module costs a few hundred milliseconds: import it only when something must be issued.
cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000

/** A certificate and its private key, both PEM. */
export interface Credential {
  readonly certificate: string
  readonly key: string
}

interface Signer {
  readonly certificate: X509Certificate
  readonly key: webcrypto.CryptoKey
}

export interface LeafRequest {
  readonly commonName: string
  readonly organisations?: readonly string[]
  readonly usage: 'server' | 'client'
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly lifetimeMs: number
  readonly now: Date
}

/**
 * A self-signed certificate authority.
 *
 * @param key of the authority to be renewed, PEM: what it has signed stays good.
 */
export async function issueAuthority(
  commonName: string,
  lifetimeMs: number,
  now: Date,
  key?: string,
): Promise<Credential> {
  const keys = key === undefined ? await generateKeys() : await readKeys(key)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(now, lifetimeMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
        true,
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

/** A certificate signed by the authority. */
export async function issueLeaf(authority: Credential, request: LeafRequest): Promise<Credential> {
  const signer = await openSigner(authority)
  const keys = await generateKeys()
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension([
      request.usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
    ]),
    await AuthorityKeyIdentifierExtension.create(signer.certificate),
    ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
  ]
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subjectOf(request),
    issuer: signer.certificate.subject,
    ...validity(request.now, request.lifetimeMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: signer.key,
    extensions,
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

/** A certificate of what somebody asked for, for the key that they hold. It does not outlive the authority. */
export async function issueWish(
  authority: Credential,
  wish: CertificateWish,
  terms: { readonly usages: readonly string[]; readonly lifetimeMs: number; readonly now: Date },
): Promise<string> {
  const signer = await openSigner(authority)
  const bits = terms.usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0)
  const roles = terms.usages.flatMap((usage) => extendedUsages[usage] ?? [])
  const { notBefore, notAfter } = validity(terms.now, terms.lifetimeMs)
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: wish.subject,
    issuer: signer.certificate.subject,
    notBefore,
    notAfter: notAfter < signer.certificate.notAfter ? notAfter : signer.certificate.notAfter,
    signingAlgorithm: algorithm,
    publicKey: new PublicKey(wish.publicKey),
    signingKey: signer.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      ...(bits === 0 ? [] : [new KeyUsagesExtension(bits, true)]),
      ...(roles.length === 0 ? [] : [new ExtendedKeyUsageExtension(roles)]),
      await AuthorityKeyIdentifierExtension.create(signer.certificate),
      ...(wish.names.length > 0 ? [new SubjectAlternativeNameExtension([...wish.names])] : []),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

const keyUsages: Readonly<Record<string, number>> = {
  'digital signature': KeyUsageFlags.digitalSignature,
  'key encipherment': KeyUsageFlags.keyEncipherment,
}
const extendedUsages: Readonly<Record<string, ExtendedKeyUsage>> = {
  'client auth': ExtendedKeyUsage.clientAuth,
  'server auth': ExtendedKeyUsage.serverAuth,
}

function subjectOf(request: LeafRequest): JsonName {
  // One relative name per organisation, as Go writes them: Kubernetes reads each as a group.
  return [...(request.organisations ?? []).map((name) => ({ O: [name] })), { CN: [request.commonName] }]
}

function validity(now: Date, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - backdateMs), notAfter: new Date(now.getTime() + lifetimeMs) }
}

function serialNumber(): string {
  const bytes = randomBytes(16)
  // The first bit must be 0: serial numbers are positive.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes.toString('hex')
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

async function readKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto
  const secret = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
  const open = createPublicKey(pem).export({ format: 'der', type: 'spki' })
  return {
    privateKey: await subtle.importKey('pkcs8', secret, algorithm, true, ['sign']),
    publicKey: await subtle.importKey('spki', open, algorithm, true, ['verify']),
  }
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

async function openSigner(authority: Credential): Promise<Signer> {
  const der = createPrivateKey(authority.key).export({ format: 'der', type: 'pkcs8' })
  return {
    certificate: new X509Certificate(authority.certificate),
    key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
  }
}
