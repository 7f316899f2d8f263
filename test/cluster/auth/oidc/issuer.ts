import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { certificatesFor } from '../../admission/webhooks/server.ts'

/** A provider of OpenID Connect, as far as an API server asks it: its description, its keys, and tokens. */
export interface TestIssuer {
  readonly url: string
  /** PEM. */
  readonly certificateAuthority: string
  /** Paths that were asked for. */
  readonly asked: string[]
  /** Answers with an error while it is. */
  isDown: boolean
  /** What it says of itself, where that is to be otherwise. */
  described: object
  /** A token for the client `arena`, good for an hour. */
  token(claims?: JWTPayload, header?: { kid?: string }): Promise<string>
  /** Signs with a new key from now on; the old one is gone, unless it is kept. */
  rotate(options?: { algorithm?: string; keeps?: boolean }): Promise<void>
  readonly keys: JWK[]
  close(): Promise<void>
}

export async function startIssuer(): Promise<TestIssuer> {
  const certificates = await certificatesFor('localhost')
  const server = createServer({ key: certificates.key, cert: certificates.certificate })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`
  let signing: { key: CryptoKey; kid: string; algorithm: string } | undefined
  let made = 0
  const issuer: TestIssuer = {
    url,
    certificateAuthority: Buffer.from(certificates.caBundle, 'base64').toString('utf8'),
    asked: [],
    isDown: false,
    described: {},
    keys: [],
    async token(claims = {}, header = {}) {
      if (signing === undefined) throw new Error('there is no key yet')
      const { key, kid, algorithm } = signing
      const seconds = Math.floor(Date.now() / 1000)
      return new SignJWT({ iss: url, aud: 'arena', sub: 'bob', exp: seconds + 3600, iat: seconds, ...claims })
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(key)
    },
    async rotate({ algorithm = 'RS256', keeps = false } = {}) {
      const { publicKey, privateKey } = await generateKeyPair(algorithm)
      made += 1
      signing = { key: privateKey, kid: `key-${made}`, algorithm }
      if (!keeps) issuer.keys.length = 0
      issuer.keys.push({ ...(await exportJWK(publicKey)), kid: signing.kid, alg: algorithm, use: 'sig' })
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  server.on('request', (request, response) => {
    const path = request.url ?? ''
    issuer.asked.push(path)
    const pages: Readonly<Record<string, object>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys`, ...issuer.described },
      '/keys': { keys: issuer.keys },
    }
    response.statusCode = issuer.isDown ? 503 : path in pages ? 200 : 404
    response.end(JSON.stringify(pages[path] ?? {}))
  })
  await issuer.rotate()
  return issuer
}

/** The configuration of an issuer's one entry, as a file. */
export function configurationOf(issuer: TestIssuer, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: [
      {
        issuer: {
          url: issuer.url,
          audiences: ['arena'],
          certificateAuthority: issuer.certificateAuthority,
        },
        claimMappings: {
          username: { claim: 'sub', prefix: 'oidc:' },
          groups: { claim: 'groups', prefix: 'oidc:' },
        },
        ...more,
      },
    ],
  })
}
