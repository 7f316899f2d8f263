import { createPrivateKey, generateKeyPair, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import type { CertificateWish } from '../registry/index.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyIdentifierOf,
  type KeyUsage,
  keyUsage,
  nameOf,
  publicKeyOf,
  type Role,
  signCertificate,
  subjectAlternativeName,
  subjectKeyIdentifier,
  subjectOf,
} from './x509.ts'

/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000

/** A certificate and its private key, both PEM. */
export interface Credential {
  readonly certificate: string
  readonly key: string
}

interface Signer {
  readonly certificate: X509Certificate
  readonly key: KeyObject
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
 * @param former key of the authority to be renewed, PEM: what it has signed stays good.
 */
export async function issueAuthority(
  commonName: string,
  lifetimeMs: number,
  now: Date,
  former?: string,
): Promise<Credential> {
  const key = former === undefined ? await generateKey() : createPrivateKey(former)
  const name = nameOf([['CN', commonName]])
  const publicKey = publicKeyOf(key)
  const certificate = signCertificate(
    {
      serialNumber: serialNumber(),
      issuer: name,
      subject: name,
      ...validity(now, lifetimeMs),
      publicKey,
      extensions: [
        basicConstraints(true),
        keyUsage(['keyCertSign', 'cRLSign', 'digitalSignature']),
        subjectKeyIdentifier(keyIdentifierOf(publicKey)),
      ],
    },
    key,
  )
  return { certificate, key: exportKey(key) }
}

/** A certificate signed by the authority. */
export async function issueLeaf(authority: Credential, request: LeafRequest): Promise<Credential> {
  const signer = openSigner(authority)
  const key = await generateKey()
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = signCertificate(
    {
      serialNumber: serialNumber(),
      issuer: subjectOf(signer.certificate),
      subject: nameOf([
        ...(request.organisations ?? []).map((name) => ['O', name] as const),
        ['CN', request.commonName],
      ]),
      ...validity(request.now, request.lifetimeMs),
      publicKey: publicKeyOf(key),
      extensions: [
        basicConstraints(false),
        keyUsage(['digitalSignature', 'keyEncipherment']),
        extendedKeyUsage([request.usage === 'server' ? 'serverAuth' : 'clientAuth']),
        authorityKeyIdentifier(identifierOf(signer)),
        ...(names.length > 0 ? [subjectAlternativeName(names)] : []),
      ],
    },
    signer.key,
  )
  return { certificate, key: exportKey(key) }
}

/** A certificate of what somebody asked for, for the key that they hold. It does not outlive the authority. */
export function issueWish(
  authority: Credential,
  wish: CertificateWish,
  terms: { readonly usages: readonly string[]; readonly lifetimeMs: number; readonly now: Date },
): string {
  const signer = openSigner(authority)
  const usages = terms.usages.flatMap((usage) => keyUsages[usage] ?? [])
  const roles = terms.usages.flatMap((usage) => extendedUsages[usage] ?? [])
  const { notBefore, notAfter } = validity(terms.now, terms.lifetimeMs)
  const end = new Date(signer.certificate.validTo)
  return signCertificate(
    {
      serialNumber: serialNumber(),
      issuer: subjectOf(signer.certificate),
      subject: wish.subject,
      notBefore,
      notAfter: notAfter < end ? notAfter : end,
      publicKey: wish.publicKey,
      extensions: [
        basicConstraints(false),
        ...(usages.length > 0 ? [keyUsage(usages)] : []),
        ...(roles.length > 0 ? [extendedKeyUsage(roles)] : []),
        authorityKeyIdentifier(identifierOf(signer)),
        ...(wish.names.length > 0 ? [subjectAlternativeName(wish.names)] : []),
      ],
    },
    signer.key,
  )
}

const keyUsages: Readonly<Record<string, KeyUsage>> = {
  'digital signature': 'digitalSignature',
  'key encipherment': 'keyEncipherment',
}
const extendedUsages: Readonly<Record<string, Role>> = {
  'client auth': 'clientAuth',
  'server auth': 'serverAuth',
}

function validity(now: Date, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - backdateMs), notAfter: new Date(now.getTime() + lifetimeMs) }
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  // The first bit must be 0: serial numbers are positive. The first byte must not be: they are written without zeros.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes
}

async function generateKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })).privateKey
}

function exportKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

function openSigner(authority: Credential): Signer {
  return { certificate: new X509Certificate(authority.certificate), key: createPrivateKey(authority.key) }
}

function identifierOf({ key }: Signer): Buffer {
  return keyIdentifierOf(publicKeyOf(key))
}
