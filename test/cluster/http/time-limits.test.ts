import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { type ApiServer, serve } from '../../../src/cluster/http/index.ts'

let directory: string
let pki: Pki
let server: ApiServer
const faults: unknown[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-time-limits-'))
  pki = await openPki(directory)
  server = await serve({
    certificate: pki.serving.certificate,
    privateKey: pki.serving.key,
    authority: pki.authority,
    host: '127.0.0.1',
    port: 0,
    times: { handshakeMs: 1000, headersMs: 1000, requestMs: 1500, idleMs: 60_000, checkMs: 50 },
    handler: async ({ method, readBody }) => ({
      status: 200,
      headers: {},
      body: method === 'POST' ? await readBody() : 'ok',
    }),
    authenticate: () => ({ name: 'somebody', groups: [] }),
    onFault: (error) => faults.push(error),
  })
})

afterAll(async () => {
  await server.close()
  await rm(directory, { recursive: true, force: true })
})

async function connection(): Promise<TLSSocket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', ca: pki.authority })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** Everything that comes until the server closes the connection. */
async function untilClosed(socket: TLSSocket): Promise<string> {
  let said = ''
  socket.on('data', (piece: Buffer) => {
    said += piece.toString('utf8')
  })
  await once(socket, 'close')
  return said
}

/** A client that does nothing wrong is answered, at once. */
async function expectService(): Promise<void> {
  const socket = await connection()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 200 /)
}

describe('a server whose clients take too long', () => {
  it('answers 408 to one that never ends its headers, and serves others meanwhile', async () => {
    const slow = await connection()
    slow.write('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ')
    const said = untilClosed(slow)
    await expectService()
    expect(slow.destroyed).toBe(false)
    expect(await said).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('answers 408 to one that never ends its body, and serves others meanwhile', async () => {
    const slow = await connection()
    slow.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf')
    const said = untilClosed(slow)
    await expectService()
    expect(slow.destroyed).toBe(false)
    expect(await said).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('closes a connection whose TLS handshake never ends, and serves others meanwhile', async () => {
    const silent = connectPlain(server.port, '127.0.0.1')
    silent.on('error', () => undefined)
    // The server's end of the connection is only seen by one who reads.
    silent.resume()
    const closed = once(silent, 'close')
    await once(silent, 'connect')
    await expectService()
    await closed
  })

  it('takes none of it for a fault of its own', () => expect(faults).toEqual([]))
})
