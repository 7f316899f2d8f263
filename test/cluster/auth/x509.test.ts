// oxlint-disable-next-line import/no-unassigned-import -- the certificate library needs it to be there first
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Read,
} from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import { issueAuthority, issueLeaf } from '../../../src/cluster/auth/issuing.ts'

// What is issued is judged by a library that had no part in it.
const day = 86_400_000
const now = new Date('2026-01-01T12:00:00Z')
const authority = await issueAuthority('arena-ca', 10 * 365 * day, now)

const leaf = async (lifetimeMs = day): Promise<Read> => {
  const { certificate } = await issueLeaf(authority, {
    commonName: 'bob',
    organisations: ['dev1', 'größe'],
    usage: 'server',
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '::1', '2001:db8::7:0'],
    lifetimeMs,
    now,
  })
  return new Read(certificate)
}

describe('an authority', () => {
  const read = new Read(authority.certificate)

  it('may sign certificates and says so', () => {
    expect(read.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: true, critical: true })
    expect(read.getExtension(KeyUsagesExtension)).toMatchObject({
      usages: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
      critical: true,
    })
  })

  it('signs itself', async () => {
    expect(read.issuer).toBe(read.subject)
    expect(await read.verify({ date: now })).toBe(true)
    const own = new X509Certificate(authority.certificate)
    expect(own.checkIssued(own) && own.verify(own.publicKey)).toBe(true)
  })
})

describe('a certificate of an authority', () => {
  it('names its subject, organisations first, in any script', async () => {
    expect((await leaf()).subjectName.toJSON()).toEqual([{ O: ['dev1'] }, { O: ['größe'] }, { CN: ['bob'] }])
  })

  it('says what it may be used for, and that it signs nothing', async () => {
    const read = await leaf()
    expect(read.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true })
    expect(read.getExtension(KeyUsagesExtension)?.usages).toBe(
      KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment,
    )
    expect(read.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  it('points to the key of the authority', async () => {
    const signer = new Read(authority.certificate).getExtension(SubjectKeyIdentifierExtension)
    expect((await leaf()).getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(signer?.keyId)
  })

  it('is good for its names and addresses, short forms of IPv6 among them', async () => {
    const names = (await leaf()).getExtension(SubjectAlternativeNameExtension)?.names.toJSON()
    expect(names).toEqual([
      { type: 'dns', value: 'localhost' },
      { type: 'dns', value: 'kubernetes.default.svc' },
      { type: 'ip', value: '127.0.0.1' },
      { type: 'ip', value: '::1' },
      { type: 'ip', value: '2001:db8::7:0' },
    ])
  })

  it('ends when it was told to, beyond the year 2049 too', async () => {
    const far = await leaf(40 * 365 * day)
    expect(far.notAfter).toEqual(new Date(now.getTime() + 40 * 365 * day))
    expect(far.notBefore).toEqual(new Date(now.getTime() - 5 * 60_000))
    expect(await far.verify({ publicKey: new Read(authority.certificate).publicKey, date: now })).toBe(true)
  })

  it('has a serial number of its own', async () => {
    expect((await leaf()).serialNumber).not.toBe((await leaf()).serialNumber)
  })
})
