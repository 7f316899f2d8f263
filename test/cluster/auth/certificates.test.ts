import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAuth, openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { MemoryReader } from './memory-reader.ts'

let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'pki-')), 'pki')
})
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }))

/** Calls a server that answers with the name and groups of its client. */
async function whoAmI(
  pki: Pki,
  client: { certificate?: string; key?: string; host?: string },
): Promise<string> {
  const { authenticator } = createAuth({ reader: new MemoryReader(), tokenKey: pki.tokenKey })
  const server = createServer(
    {
      key: pki.serving.key,
      cert: pki.serving.certificate,
      ca: pki.authority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const { socket } = request
      const peer = socket instanceof TLSSocket ? socket : undefined
      Promise.resolve()
        .then(() => authenticator.authenticate(peer, request.headers.authorization))
        .then((user) => response.end(`${user.name} ${user.groups.join(',')}`))
        .catch((error: Error) => response.end(error.message))
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const request = get({
      host: client.host ?? '127.0.0.1',
      port,
      ca: pki.authority,
      ...(client.certificate && { cert: client.certificate, key: client.key }),
      agent: false,
    })
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return text
  } finally {
    server.close()
  }
}

test('a client with the admin certificate is kubernetes-admin of system:masters', async () => {
  const pki = await openPki(directory)
  expect(await whoAmI(pki, pki.admin)).toBe('kubernetes-admin system:masters,system:authenticated')
})

test('the serving certificate is good for localhost as well as for 127.0.0.1', async () => {
  const pki = await openPki(directory)
  expect(await whoAmI(pki, { host: 'localhost' })).toBe('system:anonymous system:unauthenticated')
})

test('the common name of a client certificate is the user and its organisations are the groups', async () => {
  const pki = await openPki(directory)
  const made = await pki.issueClientCertificate({ user: 'bob', groups: ['dev1', 'dev2'] })
  expect(await whoAmI(pki, made)).toBe('bob dev1,dev2,system:authenticated')
})

test('a certificate of another authority is no credential', async () => {
  const pki = await openPki(directory)
  const other = await openPki(`${directory}-other`)
  expect(await whoAmI(pki, other.admin)).toBe('Unauthorized')
})

test('a certificate out of its time is no credential', async () => {
  const pki = await openPki(directory)
  const ended = await pki.issueClientCertificate({ user: 'bob', lifetimeMs: -1000 })
  expect(await whoAmI(pki, ended)).toBe('Unauthorized')
})

test('nobody but the owner may read the keys', async () => {
  await openPki(directory)
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  const files = await readdir(directory)
  expect(files.sort()).toEqual([
    'admin.crt',
    'admin.key',
    'apiserver.crt',
    'apiserver.key',
    'ca.crt',
    'ca.key',
    'sa.key',
  ])
  for (const file of files) expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600)
})

test('a second start finds everything as it was', async () => {
  const first = await openPki(directory)
  const second = await openPki(directory)
  expect(second.authority).toBe(first.authority)
  expect(second.serving).toEqual(first.serving)
  expect(second.admin).toEqual(first.admin)
  expect(second.tokenKey).toBe(first.tokenKey)
})

test('a serving certificate near its end, or without a name that is asked for, is renewed by the same authority', async () => {
  const first = await openPki(directory)
  const later = await openPki(directory, { now: () => new Date(Date.now() + 2.1 * 365 * 24 * 3600 * 1000) })
  expect(later.serving.certificate).not.toBe(first.serving.certificate)
  expect(later.authority).toBe(first.authority)
  const named = await openPki(directory, { extraNames: ['gpu.example', '192.0.2.7'] })
  const certificate = new X509Certificate(named.serving.certificate)
  expect(certificate.checkHost('gpu.example')).toBe('gpu.example')
  expect(certificate.checkIP('192.0.2.7')).toBe('192.0.2.7')
  expect(certificate.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc')
})

test('a key that does not belong to its certificate, as a crash may leave it, is replaced', async () => {
  const first = await openPki(directory)
  await writeFile(join(directory, 'apiserver.key'), first.admin.key)
  const second = await openPki(directory)
  expect(second.serving.certificate).not.toBe(first.serving.certificate)
  expect(await readFile(join(directory, 'apiserver.key'), 'utf8')).toBe(second.serving.key)
  expect(await whoAmI(second, second.admin)).toContain('kubernetes-admin')
})

const years = (count: number) => ({ now: () => new Date(Date.now() + count * 365 * 24 * 3600 * 1000) })

test.each([
  ['years ahead', 5],
  ['beyond the end of the authority', 25],
  ['at a time long gone', -30],
])('a clock that is %s for the first start or a later one does no lasting harm', async (_, wrong) => {
  // Wrong from the beginning, right afterwards.
  await openPki(directory, years(wrong))
  const righted = await openPki(directory)
  expect(await whoAmI(righted, righted.admin)).toBe('kubernetes-admin system:masters,system:authenticated')
  const given = await righted.issueClientCertificate({ user: 'bob' })
  // Wrong for one start, and right again: what was given out before is good, with the authority it came with.
  await openPki(directory, years(wrong))
  const again = await openPki(directory)
  expect(await whoAmI(again, given)).toBe('bob system:authenticated')
  expect(await whoAmI({ ...again, authority: righted.authority }, given)).toBe('bob system:authenticated')
  expect(again.tokenKey).toBe(righted.tokenKey)
})
