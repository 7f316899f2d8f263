import type { X509Certificate } from 'node:crypto'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { ConnectionOptions } from './https-transport.ts'

/**
 * Makes connections to a server on this machine, such as the embedded cluster, and checks it before anything is sent.
 * Nothing when that fails or its certificate is not the plain case: then Node must connect as usual, and say what is wrong.
 *
 * Giving Node a certificate authority makes it first read all public authorities that it ships with, which takes a
 * short-lived process as long as everything else that it does. They have no say here. So the plain case is checked in
 * place: a certificate that the authority of the kubeconfig itself has signed. Anything else is left to OpenSSL.
 */
export function connectorInPlace(
  connection: ConnectionOptions,
  at: { readonly host: string; readonly port: number; readonly timeoutMs: number },
): () => Promise<TLSSocket | undefined> {
  // Not by `import`, for the same reason as in `https-transport.ts`.
  const { connect, createSecureContext } = process.getBuiltinModule('node:tls')
  let secureContext: SecureContext | undefined
  return async () => {
    secureContext ??= createSecureContext({
      // An empty list keeps OpenSSL from loading public authorities. Its verdict, "unknown authority", is replaced by
      // the check below.
      ca: [],
      ...(connection.clientCertificate !== undefined && { cert: connection.clientCertificate }),
      ...(connection.clientKey !== undefined && { key: connection.clientKey }),
    })
    const socket = connect({
      host: at.host,
      port: at.port,
      secureContext,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    return trusted(socket, connection, at)
  }
}

/** The socket once it is connected to the server that it should be; nothing, and the socket closed, otherwise. */
function trusted(
  socket: TLSSocket,
  connection: ConnectionOptions,
  at: { readonly host: string; readonly timeoutMs: number },
): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const giveUp = (): void => {
      socket.destroy()
      resolve(undefined)
    }
    const timer = setTimeout(giveUp, at.timeoutMs)
    socket.once('error', giveUp)
    socket.once('close', () => clearTimeout(timer))
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.off('error', giveUp)
      const certificate = socket.getPeerX509Certificate()
      if (
        certificate !== undefined &&
        isSignedFor(certificate, { authority: connection.certificateAuthority ?? '', host: at.host })
      ) {
        resolve(socket)
      } else {
        giveUp()
      }
    })
  })
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
// The extension `nameConstraints` (2.5.29.30) in DER: an authority that has it may not vouch for every host.
const nameConstraints = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e])

/** Has one of the authorities itself signed this certificate, for this host, as a server's, and for this time? */
export function isSignedFor(
  certificate: X509Certificate,
  by: { readonly authority: string; readonly host: string; readonly now?: number },
): boolean {
  const now = by.now ?? Date.now()
  const isForHost = /^[\d.]+$|:/.test(by.host)
    ? certificate.checkIP(by.host) !== undefined
    : certificate.checkHost(by.host) !== undefined
  // The declared type leaves out that certificates without the extension have no such list.
  const usages: readonly string[] | undefined = certificate.keyUsage
  if (!isForHost || !isCurrent(certificate, now) || usages?.includes(serverAuth) !== true) return false
  return certificatesIn(by.authority).some(
    (authority) =>
      authority.ca &&
      isCurrent(authority, now) &&
      !authority.raw.includes(nameConstraints) &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  )
}

function isCurrent(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
}

/** Those that can be read: what they vouch for counts, and OpenSSL says what is wrong with the others. */
function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  const crypto = process.getBuiltinModule('node:crypto')
  return blocks.flatMap((block) => {
    try {
      return [new crypto.X509Certificate(block)]
    } catch {
      return []
    }
  })
}
