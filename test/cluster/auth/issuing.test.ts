// oxlint-disable-next-line no-unassigned-import -- the certificate library throws unless this came first
import 'reflect-metadata'
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { cryptoProvider, X509CertificateGenerator } from '@peculiar/x509'
import { expect, test } from 'vitest'
import { element, elementsOf, identifier, integer, time } from '../../../src/cluster/auth/der.ts'
import { issueAuthority, issueLeaf } from '../../../src/cluster/auth/issuing.ts'

const now = new Date('2026-11-24T08:00:00Z')
const dayMs = 24 * 60 * 60 * 1000
const request = { commonName: 'bob', usage: 'server', lifetimeMs: dayMs, now } as const

test('a leaf is signed by its authority and names each of its hosts and addresses', async () => {
  const authority = await issueAuthority('ca', dayMs, now)
  const addresses = ['127.0.0.1', '::1', 'fd00:0:0:1::8']
  const leaf = new X509Certificate(
    (await issueLeaf(authority, { ...request, dnsNames: ['localhost'], ipAddresses: addresses })).certificate,
  )
  const parent = new X509Certificate(authority.certificate)
  expect(leaf.checkIssued(parent)).toBe(true)
  expect(leaf.verify(parent.publicKey)).toBe(true)
  expect(parent.ca).toBe(true)
  expect(leaf.ca).toBe(false)
  expect(leaf.checkHost('localhost')).toBe('localhost')
  for (const address of addresses) expect(leaf.checkIP(address)).toBeTruthy()
  expect(leaf.checkIP('::2')).toBeUndefined()
})

test('a leaf is good from a little before now for as long as was asked, beyond 2049 too', async () => {
  const authority = await issueAuthority('ca', dayMs, now)
  const leaf = await issueLeaf(authority, { ...request, lifetimeMs: 30 * 365 * dayMs })
  const { validFrom, validTo } = new X509Certificate(leaf.certificate)
  expect(validFrom).toBe('Nov 24 07:55:00 2026 GMT')
  expect(validTo).toBe('Nov 16 08:00:00 2056 GMT')
})

test('an authority that another program made signs as well', async () => {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['Somebody'] }, { CN: ['theirs'] }],
    notBefore: now,
    notAfter: new Date(now.getTime() + dayMs),
    signingAlgorithm: algorithm,
    keys,
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  })
  const certificate = made.toString('pem')
  const leaf = new X509Certificate(
    (await issueLeaf({ certificate, key: key.toString() }, request)).certificate,
  )
  expect(leaf.issuer).toBe('O=Somebody\nCN=theirs')
  expect(leaf.verify(new X509Certificate(certificate).publicKey)).toBe(true)
})

test('DER has the shortest form of lengths, numbers and identifiers', () => {
  expect(element(0x04, Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('047f')
  expect(element(0x04, Buffer.alloc(128)).subarray(0, 3).toString('hex')).toBe('048180')
  expect(element(0x04, Buffer.alloc(256)).subarray(0, 4).toString('hex')).toBe('04820100')
  expect(integer(Buffer.from([0, 0, 0x80])).toString('hex')).toBe('02020080')
  expect(identifier('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302')
  expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toContain('491231235959Z')
  expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toContain('20500101000000Z')
})

test('DER that ends too early is refused', () => {
  const whole = element(0x30, element(0x04, Buffer.alloc(300)))
  expect(elementsOf(whole)).toHaveLength(1)
  for (const length of [1, 3, whole.length - 1])
    expect(() => elementsOf(whole.subarray(0, length))).toThrow('DER ends within an element')
})
