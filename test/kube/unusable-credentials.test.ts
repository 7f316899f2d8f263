import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Credential, issueAuthority, issueLeaf } from '../../src/cluster/auth/issuing.ts'
import { type ConnectionOptions, openHttpsTransport } from '../../src/kube/index.ts'

const garbage = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`
const now = new Date()
const lifetimeMs = 3_600_000
let authority: Credential
let client: Credential
let other: Credential
const server = createServer()

beforeAll(async () => {
  authority = await issueAuthority('ca', lifetimeMs, now)
  const serving = await issueLeaf(authority, {
    commonName: 'server',
    usage: 'server',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    lifetimeMs,
    now,
  })
  client = await issueLeaf(authority, { commonName: 'bob', usage: 'client', lifetimeMs, now })
  other = await issueLeaf(authority, { commonName: 'tom', usage: 'client', lifetimeMs, now })
  server.setSecureContext({ cert: serving.certificate, key: serving.key })
  server.on('request', (_request, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

/** What a request over this connection ends with: its status, or the error's code and message. */
async function outcome(connection: Partial<ConnectionOptions>): Promise<string> {
  const opened = await openHttpsTransport({
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificateAuthority: authority.certificate,
    ...connection,
  })
  try {
    return String((await opened.transport({ method: 'GET', path: '/api', headers: {} })).status)
  } catch (error) {
    return error instanceof Error && 'code' in error
      ? `${String(error.code)}: ${error.message}`
      : String(error)
  } finally {
    opened.close()
  }
}

describe.each([
  ['to this machine', {}],
  ['made by OpenSSL', { tlsServerName: 'localhost' }],
])('a connection %s', (_where, options) => {
  it('is made with a certificate and its key', async () => {
    const credential = { clientCertificate: client.certificate, clientKey: client.key }
    expect(await outcome({ ...options, ...credential })).toBe('200')
  })

  it('is refused with the fault where the key or the certificate cannot be read, or do not belong together', async () => {
    const fault = /^CONFIG_INVALID: a certificate or key in the kubeconfig is not usable: .+/
    const { certificate, key } = client
    for (const credential of [
      { clientCertificate: certificate, clientKey: garbage('PRIVATE KEY') },
      { clientCertificate: garbage('CERTIFICATE'), clientKey: key },
      { clientCertificate: certificate, clientKey: other.key },
      { clientCertificate: certificate, clientKey: 'no key' },
    ]) {
      expect(await outcome({ ...options, ...credential })).toMatch(fault)
    }
  })

  it('is refused where the authority cannot be read', async () => {
    expect(await outcome({ ...options, certificateAuthority: garbage('CERTIFICATE') })).toMatch(
      /^CLUSTER_UNREACHABLE: .*its certificate is not signed by the authority in the kubeconfig/,
    )
  })
})
