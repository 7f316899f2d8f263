// oxlint-disable-next-line import/no-unassigned-import -- the certificate library needs it to be there first
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate as Made,
} from '@peculiar/x509'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createKubeClient, openHttpsTransport } from '../../src/kube/index.ts'
import { isSignedFor } from '../../src/kube/loopback-trust.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const { webcrypto } = await import('node:crypto')
const day = 86_400_000

interface Authority {
  readonly made: Made
  readonly keys: CryptoKeyPair
}
type CryptoKeyPair = Awaited<ReturnType<typeof makeKeys>>

async function makeKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

async function authority(
  options: {
    name?: string
    by?: Authority
    isCa?: boolean
    extensions?: Extension[]
    endsInDays?: number
  } = {},
): Promise<Authority> {
  const keys = await makeKeys()
  const name = `CN=${options.name ?? 'ca'}`
  const made = await X509CertificateGenerator.create({
    serialNumber: '01',
    subject: name,
    issuer: options.by?.made.subject ?? name,
    notBefore: new Date(Date.now() - 10 * day),
    notAfter: new Date(Date.now() + (options.endsInDays ?? 10) * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: options.by?.keys.privateKey ?? keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(options.isCa ?? true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
      ...(options.extensions ?? []),
    ],
  })
  return { made, keys }
}

interface Leaf {
  readonly pem: string
  readonly key: string
}

async function leaf(
  by: Authority,
  options: { ip?: string; usage?: string; startsInDays?: number; endsInDays?: number } = {},
): Promise<Leaf> {
  const keys = await makeKeys()
  const made = await X509CertificateGenerator.create({
    serialNumber: '02',
    subject: 'CN=server',
    issuer: by.made.subject,
    notBefore: new Date(Date.now() + (options.startsInDays ?? -1) * day),
    notAfter: new Date(Date.now() + (options.endsInDays ?? 1) * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'ip', value: options.ip ?? '127.0.0.1' },
        { type: 'dns', value: 'localhost' },
      ]),
      new ExtendedKeyUsageExtension([options.usage ?? '1.3.6.1.5.5.7.3.1']),
    ],
  })
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  const base64 = Buffer.from(der).toString('base64')
  return {
    pem: made.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`,
  }
}

function signed(certificate: Leaf, trusted: readonly Authority[], host = '127.0.0.1'): boolean {
  return isSignedFor(new X509Certificate(certificate.pem), {
    authority: trusted.map(({ made }) => made.toString('pem')).join('\n'),
    host,
  })
}

describe('a certificate checked in place', () => {
  it('is accepted when one of the authorities has signed it for the host', async () => {
    const [ca, other] = [await authority(), await authority({ name: 'other' })]
    const good = await leaf(ca)
    expect(signed(good, [ca])).toBe(true)
    expect(signed(good, [other, ca])).toBe(true)
    expect(signed(good, [ca], 'localhost')).toBe(true)
  })

  it('is not accepted from another authority, even one of the same name', async () => {
    const [ca, impostor] = [await authority(), await authority()]
    expect(signed(await leaf(impostor), [ca])).toBe(false)
    expect(signed(await leaf(impostor), [])).toBe(false)
  })

  it('is not accepted for another host, as a client, before its time or after it', async () => {
    const ca = await authority()
    expect(signed(await leaf(ca, { ip: '127.0.0.2' }), [ca])).toBe(false)
    expect(signed(await leaf(ca), [ca], 'example.com')).toBe(false)
    expect(signed(await leaf(ca, { usage: '1.3.6.1.5.5.7.3.2' }), [ca])).toBe(false)
    expect(signed(await leaf(ca, { startsInDays: 1, endsInDays: 2 }), [ca])).toBe(false)
    expect(signed(await leaf(ca, { startsInDays: -2, endsInDays: -1 }), [ca])).toBe(false)
  })

  it('is not accepted from what is no authority, has ended, is constrained, or only stands between', async () => {
    const notCa = await authority({ isCa: false })
    expect(signed(await leaf(notCa), [notCa])).toBe(false)
    const ended = await authority({ endsInDays: -1 })
    expect(signed(await leaf(ended), [ended])).toBe(false)
    const permitted = new Uint8Array(
      Buffer.from('301da01b3019820768756e74696e67820e696e74657276656e74696f6e73', 'hex'),
    )
    const constrained = await authority({ extensions: [new Extension('2.5.29.30', true, permitted)] })
    expect(signed(await leaf(constrained), [constrained])).toBe(false)
    const root = await authority({ name: 'root' })
    const between = await authority({ name: 'between', by: root })
    expect(signed(await leaf(between), [root])).toBe(false)
  })
})

describe('a connection to this machine', () => {
  async function get(
    server: { leaf: Leaf; chain?: string },
    trusted: Authority,
  ): Promise<{ body: string; sockets: number; tokens: string[] }> {
    const tokens: string[] = []
    let sockets = 0
    const listening = createServer(
      { cert: `${server.leaf.pem}\n${server.chain ?? ''}`, key: server.leaf.key },
      (request, response) => {
        tokens.push(request.headers.authorization ?? '')
        response.end('{"items":[],"metadata":{}}')
      },
    )
    listening.on('secureConnection', () => {
      sockets += 1
    })
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const opened = await openHttpsTransport({
      server: `https://127.0.0.1:${(listening.address() as AddressInfo).port}`,
      certificateAuthority: trusted.made.toString('pem'),
      token: async () => 'secret',
    })
    onTestFinished(async () => {
      opened.close()
      listening.closeAllConnections()
      await new Promise((resolve) => listening.close(resolve))
    })
    const client = createKubeClient(opened.transport)
    const kind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }
    const answers = await Promise.all([client.list(kind), client.list(kind), client.list(kind)]).catch(
      (error: unknown) => String(error),
    )
    return { body: JSON.stringify(answers), sockets, tokens }
  }

  it('is one for several short requests', async () => {
    const ca = await authority()
    const { tokens, sockets } = await get({ leaf: await leaf(ca) }, ca)
    expect(tokens).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret'])
    expect(sockets).toBe(1)
  })

  it('is refused, and given no token, when the certificate is of another authority', async () => {
    const [ca, impostor] = [await authority(), await authority()]
    const { body, tokens } = await get({ leaf: await leaf(impostor) }, ca)
    expect(tokens).toEqual([])
    expect(body).toContain('its certificate is not signed by the authority in the kubeconfig')
  })

  it('is refused, and given no token, when the certificate is for another host or has ended', async () => {
    const ca = await authority()
    for (const [options, words] of [
      [{ ip: '127.0.0.2' }, 'its certificate is for another host name'],
      [{ startsInDays: -2, endsInDays: -1 }, 'its certificate is not valid at this time'],
    ] as const) {
      const { body, tokens } = await get({ leaf: await leaf(ca, options) }, ca)
      expect(tokens).toEqual([])
      expect(body).toContain(words)
    }
  })

  it('is made by OpenSSL where an authority stands between', async () => {
    const root = await authority({ name: 'root' })
    const between = await authority({ name: 'between', by: root })
    const { tokens } = await get({ leaf: await leaf(between), chain: between.made.toString('pem') }, root)
    expect(tokens).toHaveLength(3)
  })
})
