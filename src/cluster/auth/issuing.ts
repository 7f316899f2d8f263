import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSign,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { promisify } from 'node:util'
import * as der from './der.ts'

// Certificates as RFC 5280 has them, written here: libraries for it take longer to load than a whole cluster to start.

/** Clocks of clients may be behind. */
const backdateMs = 5 * 60 * 1000

const oids = {
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const

/** Bits of a key usage, first to last, with how many of the byte's last bits do not count. */
const usages = {
  /** digitalSignature, keyEncipherment */
  leaf: der.bits(Buffer.from([0b1010_0000]), 5),
  /** digitalSignature, keyCertSign, cRLSign */
  authority: der.bits(Buffer.from([0b1000_0110]), 1),
} as const

/** A certificate and its private key, both PEM. */
export interface Credential {
  readonly certificate: string
  readonly key: string
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

interface Contents {
  /** Names as they stand in a certificate. */
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKey: KeyObject
  readonly now: Date
  readonly lifetimeMs: number
  readonly extensions: readonly Buffer[]
}

/** A self-signed certificate authority. */
export async function issueAuthority(commonName: string, lifetimeMs: number, now: Date): Promise<Credential> {
  const { publicKey, privateKey } = await newKeys()
  const name = nameOf([], commonName)
  const certificate = signed(privateKey, {
    issuer: name,
    subject: name,
    publicKey,
    now,
    lifetimeMs,
    extensions: [
      extension(oids.basicConstraints, der.sequence(der.boolean(true)), { isCritical: true }),
      extension(oids.keyUsage, usages.authority, { isCritical: true }),
      extension(oids.subjectKey, der.octets(keyId(publicKey))),
    ],
  })
  return { certificate, key: pemOf(privateKey) }
}

/** A certificate signed by the authority. */
export async function issueLeaf(authority: Credential, request: LeafRequest): Promise<Credential> {
  const { publicKey, privateKey } = await newKeys()
  const purpose = request.usage === 'server' ? oids.serverAuth : oids.clientAuth
  const names = [
    ...(request.dnsNames ?? []).map((name) => der.implicit(2, Buffer.from(name, 'latin1'))),
    ...(request.ipAddresses ?? []).map((address) => der.implicit(7, addressBytes(address))),
  ]
  const certificate = signed(createPrivateKey(authority.key), {
    // Byte for byte: that is how some clients compare them.
    issuer: subjectBytes(new X509Certificate(authority.certificate)),
    subject: nameOf(request.organisations ?? [], request.commonName),
    publicKey,
    now: request.now,
    lifetimeMs: request.lifetimeMs,
    extensions: [
      extension(oids.basicConstraints, der.sequence(), { isCritical: true }),
      extension(oids.keyUsage, usages.leaf, { isCritical: true }),
      extension(oids.extendedUsage, der.sequence(der.identifier(purpose))),
      extension(
        oids.authorityKey,
        der.sequence(der.implicit(0, keyId(createPublicKey(authority.certificate)))),
      ),
      ...(names.length > 0 ? [extension(oids.alternativeNames, der.sequence(...names))] : []),
    ],
  })
  return { certificate, key: pemOf(privateKey) }
}

/** RFC 5280 section 4.1, as PEM. */
function signed(signingKey: KeyObject, contents: Contents): string {
  const { issuer, subject, publicKey, now, lifetimeMs, extensions } = contents
  const algorithm = der.sequence(der.identifier(oids.ecdsaWithSha256))
  const body = der.sequence(
    // Version 3.
    der.tagged(0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    issuer,
    der.sequence(
      der.time(new Date(now.getTime() - backdateMs)),
      der.time(new Date(now.getTime() + lifetimeMs)),
    ),
    subject,
    publicKey.export({ format: 'der', type: 'spki' }),
    der.tagged(3, der.sequence(...extensions)),
  )
  const signature = createSign('sha256').update(body).sign(signingKey)
  const certificate = der.sequence(body, algorithm, der.bits(signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** One relative name per organisation, as Go writes them: Kubernetes reads each as a group. */
function nameOf(organisations: readonly string[], commonName: string): Buffer {
  const relative = (oid: string, text: string): Buffer =>
    der.set(der.sequence(der.identifier(oid), der.utf8(text)))
  return der.sequence(
    ...organisations.map((name) => relative(oids.organisation, name)),
    relative(oids.commonName, commonName),
  )
}

function extension(oid: string, value: Buffer, options: { readonly isCritical?: boolean } = {}): Buffer {
  return der.sequence(
    der.identifier(oid),
    ...(options.isCritical ? [der.boolean(true)] : []),
    der.octets(value),
  )
}

/** Which key it is: RFC 5280 section 4.2.1.2, method 1. */
function keyId(publicKey: KeyObject): Buffer {
  const [info] = der.elementsOf(publicKey.export({ format: 'der', type: 'spki' }))
  const key = info && der.elementsOf(info.content)[1]
  if (!key) throw new Error('a public key has no bits')
  // The first byte counts unused bits.
  return createHash('sha1').update(key.content.subarray(1)).digest()
}

/** The subject's name as it stands in a certificate: the sixth element, behind the version. */
function subjectBytes(certificate: X509Certificate): Buffer {
  const [whole] = der.elementsOf(certificate.raw)
  const body = whole && der.elementsOf(whole.content)[0]
  const subject = body && der.elementsOf(body.content)[5]
  if (!subject) throw new Error('a certificate has no subject')
  return subject.bytes
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (!isIPv6(address)) throw new Error(`"${address}" is no IP address`)
  // A URL's host is the address in its shortest form: no IPv4 part, at most one `::`.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groupsOf = (text: string | undefined): string[] => (text ? text.split(':') : [])
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const groups = [...before, ...zeros, ...after]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  // Serial numbers are positive, and their first byte is not left out.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return bytes
}

function newKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
}

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}
