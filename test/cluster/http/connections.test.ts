import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { type ApiServer, serve } from '../../../src/cluster/http/index.ts'

let directory: string
let pki: Pki
let server: ApiServer

/** Answers `/stream` without an end and everything else at once. */
async function* endless(signal: AbortSignal): AsyncGenerator<string> {
  yield 'begun\n'
  if (!signal.aborted) await once(signal, 'abort')
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-connections-'))
  pki = await openPki(directory)
  server = await serve({
    certificate: pki.serving.certificate,
    privateKey: pki.serving.key,
    authority: pki.authority,
    host: '127.0.0.1',
    port: 0,
    maxConnections: 3,
    handler: async ({ url, signal }) => ({
      status: 200,
      headers: {},
      body: url === '/stream' ? endless(signal) : 'ok',
    }),
    authenticate: () => ({ name: 'somebody', groups: [] }),
    onFault: (error) => {
      throw error
    },
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

async function answered(socket: TLSSocket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  const [piece] = await once(socket, 'data')
  return String(piece)
}

async function http2Stream(): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: pki.authority })
  session.on('error', () => undefined)
  const stream = session.request({ ':path': '/stream' })
  await once(stream, 'data')
  return session
}

describe('a server with as many connections as it may have', () => {
  it('lets go of the one that is idle for longest, and never of one at work', async () => {
    const watching = await connection()
    expect(await answered(watching, '/stream')).toContain('200')
    const watchingToo = await http2Stream()
    const idle = await connection()
    expect(await answered(idle, '/')).toContain('200')
    const cut = once(idle, 'close')
    const newcomer = await connection()
    expect(await answered(newcomer, '/')).toContain('200')
    await cut
    expect(watching.destroyed).toBe(false)
    expect(watchingToo.destroyed).toBe(false)
    for (const one of [watching, newcomer]) one.destroy()
    watchingToo.destroy()
  })
})
