import { createHash, createPublicKey, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import {
  BitString,
  Boolean as Asn1Boolean,
  Constructed,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  Set as Asn1Set,
  UTCTime,
  Utf8String,
} from 'asn1js'

/**
 * Builds X.509 certificates (https://www.rfc-editor.org/rfc/rfc5280) that are signed by a P-256 key. Only what a cluster
 * issues: the libraries that know everything take longer to load than a cluster takes to start.
 */

/** What a certificate says. Names and keys of others are taken over byte by byte. */
export interface CertificateContent {
  /** Positive, at most 20 bytes. */
  readonly serialNumber: Buffer
  /** DER of a Name. */
  readonly issuer: Buffer
  /** DER of a Name. */
  readonly subject: Buffer
  readonly notBefore: Date
  readonly notAfter: Date
  /** DER of a SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly extensions: readonly Extension[]
}

/** One extension; made by the functions below. */
export type Extension = Sequence

/** A relative name: the attribute's short name and its value. */
export type RelativeName = readonly [attribute: 'CN' | 'O', value: string]

export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'email' | 'url'
  readonly value: string
}

const oids = {
  CN: '2.5.4.3',
  O: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** Signs the content. Gives PEM. @param key of the issuer, on the curve P-256. */
export function signCertificate(content: CertificateContent, key: KeyObject): string {
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: oids.ecdsaWithSha256 })] })
  const body = new Sequence({
    value: [
      // Version 3, written as 2.
      tagged(0, [new Integer({ value: 2 })]),
      new Integer({ valueHex: content.serialNumber }),
      algorithm,
      parsed(content.issuer),
      new Sequence({ value: [time(content.notBefore), time(content.notAfter)] }),
      parsed(content.subject),
      parsed(content.publicKey),
      tagged(3, [new Sequence({ value: [...content.extensions] })]),
    ],
  })
  const signature = sign('sha256', derOf(body), key)
  const certificate = new Sequence({ value: [body, algorithm, new BitString({ valueHex: signature })] })
  const lines = derOf(certificate)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** DER of a Name with one relative name after the other, as Go writes them: Kubernetes reads each O as a group. */
export function nameOf(parts: readonly RelativeName[]): Buffer {
  const sets = parts.map(([attribute, value]) => {
    const pair = [new ObjectIdentifier({ value: oids[attribute] }), new Utf8String({ value })]
    return new Asn1Set({ value: [new Sequence({ value: pair })] })
  })
  return derOf(new Sequence({ value: sets }))
}

/** DER of the name that a certificate is about. */
export function subjectOf(certificate: X509Certificate): Buffer {
  const fields = fieldsOf(fieldsOf(parsed(certificate.raw))[0])
  // Version, serial number, algorithm, issuer and validity come before it.
  const subject = fields[5]
  if (subject === undefined) throw new Error('the certificate has no subject')
  return Buffer.from(subject.valueBeforeDecodeView)
}

/** The first method of RFC 5280, 4.2.1.2: SHA-1 of the key's bits. @param publicKey SubjectPublicKeyInfo, DER */
export function keyIdentifierOf(publicKey: Buffer): Buffer {
  const bits = fieldsOf(parsed(publicKey))[1]
  if (!(bits instanceof BitString)) throw new Error('the public key is malformed')
  return createHash('sha1').update(bits.valueBlock.valueHexView).digest()
}

/** DER of a private key's SubjectPublicKeyInfo. */
export function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

export function basicConstraints(isAuthority: boolean): Extension {
  const value = new Sequence({ value: isAuthority ? [new Asn1Boolean({ value: true })] : [] })
  return extension(oids.basicConstraints, value, { isCritical: true })
}

const keyUsageBits = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const
export type KeyUsage = keyof typeof keyUsageBits

export function keyUsage(usages: readonly KeyUsage[]): Extension {
  const positions: number[] = usages.map((usage) => keyUsageBits[usage])
  const bits = positions.reduce((sum, position) => sum | (0x80 >> position), 0)
  const unusedBits = 7 - Math.max(...positions)
  const value = new BitString({ valueHex: Uint8Array.of(bits), unusedBits })
  return extension(oids.keyUsage, value, { isCritical: true })
}

export type Role = 'serverAuth' | 'clientAuth'

export function extendedKeyUsage(roles: readonly Role[]): Extension {
  const value = new Sequence({ value: roles.map((role) => new ObjectIdentifier({ value: oids[role] })) })
  return extension(oids.extKeyUsage, value)
}

export function subjectKeyIdentifier(identifier: Buffer): Extension {
  return extension(oids.subjectKeyIdentifier, new OctetString({ valueHex: identifier }))
}

export function authorityKeyIdentifier(identifier: Buffer): Extension {
  return extension(oids.authorityKeyIdentifier, new Sequence({ value: [implicit(0, identifier)] }))
}

export function subjectAlternativeName(names: readonly AlternativeName[]): Extension {
  return extension(oids.subjectAltName, new Sequence({ value: names.map(generalName) }))
}

const generalNameTags = { email: 1, dns: 2, url: 6, ip: 7 } as const

function generalName({ type, value }: AlternativeName): Primitive {
  return implicit(generalNameTags[type], type === 'ip' ? addressBytes(value) : Buffer.from(value, 'latin1'))
}

/** 4 bytes, or 16. */
function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  // The parser of URLs knows all short forms of an IPv6 address but writes the shortest.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groupsOf = (text: string | undefined): string[] => (text ? text.split(':') : [])
  const [first, last] = [groupsOf(head), groupsOf(tail)]
  const between = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return Buffer.from([...first, ...between, ...last].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function extension(oid: string, value: Asn1Value, { isCritical = false } = {}): Extension {
  return new Sequence({
    value: [
      new ObjectIdentifier({ value: oid }),
      ...(isCritical ? [new Asn1Boolean({ value: true })] : []),
      new OctetString({ valueHex: derOf(value) }),
    ],
  })
}

type Asn1Value = Sequence | BitString | OctetString

function tagged(tagNumber: number, value: (Integer | Sequence)[]): Constructed {
  return new Constructed({ idBlock: { tagClass: 3, tagNumber }, value })
}

function implicit(tagNumber: number, valueHex: Buffer): Primitive {
  return new Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex })
}

function parsed(der: Buffer): Decoded {
  return fromBER(der).result
}

/** RFC 5280, 4.1.2.5: two digits for the year until 2049. */
function time(date: Date): UTCTime {
  const valueDate = new Date(Math.floor(date.getTime() / 1000) * 1000)
  return valueDate.getUTCFullYear() < 2050 ? new UTCTime({ valueDate }) : new GeneralizedTime({ valueDate })
}

type Decoded = ReturnType<typeof fromBER>['result']

function fieldsOf(value: Decoded | undefined): Decoded[] {
  if (!(value instanceof Sequence)) throw new Error('the certificate is malformed')
  return value.valueBlock.value
}

function derOf(value: { toBER(): ArrayBuffer }): Buffer {
  return Buffer.from(value.toBER())
}
