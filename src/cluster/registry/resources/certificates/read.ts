import type { CertificateWish } from './pkcs10.ts'

export type { AlternativeName, CertificateWish } from './pkcs10.ts'

/**
 * Reads `spec.request` of a certificate signing request. The first call loads the certificate library.
 *
 * @param request a PEM block in base64, as JSON has it.
 * @throws {Error} when it is no request that its sender's key has signed.
 */
export async function readCertificateRequest(request: string): Promise<CertificateWish> {
  const { readPkcs10 } = await import('./pkcs10.ts')
  return readPkcs10(Buffer.from(request, 'base64').toString('latin1'))
}
