import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { type TimeLimits, usualTimes } from '../../../src/cluster/http/connections.ts'
import { type ApiServer, serve } from '../../../src/cluster/http/index.ts'

let directory: string
let pki: Pki
let server: ApiServer
const faults: unknown[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-time-limits-'))
  pki = await openPki(directory)
  server = await start({
    handshakeMs: 1000,
    headersMs: 1000,
    bodyMs: 60_000,
    requestMs: 1500,
    idleMs: 60_000,
    checkMs: 50,
  })
})

function start(times: TimeLimits): Promise<ApiServer> {
  return serve({
    certificate: pki.serving.certificate,
    privateKey: pki.serving.key,
    authority: pki.authority,
    host: '127.0.0.1',
    port: 0,
    times,
    handler: async ({ method, readBody }) => ({
      status: 200,
      headers: {},
      body: method === 'POST' ? await readBody() : 'ok',
    }),
    authenticate: () => ({ name: 'somebody', groups: [] }),
    onFault: (error) => faults.push(error),
  })
}

afterAll(async () => {
  await server.close()
  await rm(directory, { recursive: true, force: true })
})

async function connection(port = server.port): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: pki.authority })
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

async function halfBody(port: number): Promise<string> {
  const slow = await connection(port)
  slow.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf')
  return untilClosed(slow)
}

async function halfBodyOverHttp2(port: number): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: pki.authority })
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => undefined)
  let said = ''
  stream.on('data', (piece: Buffer) => {
    said += piece.toString('utf8')
  })
  stream.write('half')
  await once(stream, 'close')
  session.close()
  return said
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

  it.each(['HTTP/1.1', 'HTTP/2'])(
    'says over %s that a body did not come, and cuts the line',
    async (protocol) => {
      const impatient = await start({ ...usualTimes, bodyMs: 200 })
      try {
        const said =
          protocol === 'HTTP/2' ? await halfBodyOverHttp2(impatient.port) : await halfBody(impatient.port)
        expect(said).toContain('the request body did not arrive in time')
      } finally {
        await impatient.close()
      }
    },
  )

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
