// oxlint-disable-next-line no-unassigned-import -- the certificate library throws unless this came first
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { cryptoProvider, Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509'

// Loading this module costs a few hundred milliseconds: import it only when there is a request to read.
cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])

/** What a certificate is asked to say, by somebody who has shown to hold the key. */
export interface CertificateWish {
  /** DER of the Name, byte by byte as in the request. */
  readonly subject: Buffer
  readonly commonName: string
  readonly organisations: readonly string[]
  readonly names: readonly AlternativeName[]
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
}

export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'email' | 'url'
  readonly value: string
}

const wrongBlock = 'PEM block type must be CERTIFICATE REQUEST'

/**
 * Reads a PKCS#10 request and checks its signature (https://www.rfc-editor.org/rfc/rfc2986).
 *
 * @throws {Error} when it is none, or is not signed with the key it names; in the words of Kubernetes where there are any.
 */
export async function readPkcs10(pem: string): Promise<CertificateWish> {
  const request = parse(derOf(pem))
  if (!(await isSigned(request))) throw new Error(unsigned(request.publicKey.algorithm.name))
  const subject = request.subjectName.toJSON()
  const textsOf = (field: string): string[] => subject.flatMap((one) => one[field] ?? [])
  return {
    subject: Buffer.from(request.subjectName.toArrayBuffer()),
    commonName: textsOf('CN').at(-1) ?? '',
    organisations: textsOf('O'),
    names: namesOf(request),
    publicKey: Buffer.from(request.publicKey.rawData),
  }
}

function derOf(pem: string): Buffer {
  const block = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n([\s\S]*?)-----END \1-----/.exec(pem)
  if (!block || block[1] !== 'CERTIFICATE REQUEST') throw new Error(wrongBlock)
  const body = (block[2] ?? '').replace(/^(?:[^\n]*:[^\n]*\n)*\s*/, '').replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) throw new Error(wrongBlock)
  return Buffer.from(body, 'base64')
}

function parse(der: Buffer): Pkcs10CertificateRequest {
  let request: Pkcs10CertificateRequest
  try {
    request = new Pkcs10CertificateRequest(der)
  } catch (cause) {
    throw new Error('asn1: structure error: malformed certificate request', { cause })
  }
  if (lengthOf(der) !== der.length) throw new Error('asn1: syntax error: trailing data')
  return request
}

/** Length of the value with which these bytes begin, head included. */
function lengthOf(der: Buffer): number {
  const first = der[1] ?? 0
  if (first < 0x80) return 2 + first
  const bytes = first & 0x7f
  return bytes > 0 && bytes <= 4 && der.length >= 2 + bytes ? 2 + bytes + der.readUIntBE(2, bytes) : 0
}

async function isSigned(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify()
  } catch (cause) {
    throw new Error('x509: cannot verify signature: algorithm unimplemented', { cause })
  }
}

function unsigned(algorithm: string): string {
  if (algorithm === 'ECDSA') return 'x509: ECDSA verification failure'
  return algorithm.startsWith('RSA')
    ? 'crypto/rsa: verification error'
    : `x509: ${algorithm} verification failure`
}

function namesOf(request: Pkcs10CertificateRequest): AlternativeName[] {
  const extension = request.extensions.find((one) => one instanceof SubjectAlternativeNameExtension)
  return (extension?.names.items ?? []).flatMap(({ type, value }) =>
    type === 'dns' || type === 'ip' || type === 'email' || type === 'url' ? [{ type, value }] : [],
  )
}
