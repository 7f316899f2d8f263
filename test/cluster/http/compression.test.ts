import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { type ApiServer, serve } from '../../../src/cluster/http/index.ts'

let directory: string
let pki: Pki
let server: ApiServer

const long = 'x'.repeat(128 * 1024 + 1)

async function* pieces(): AsyncGenerator<string> {
  for (let count = 0; count < 100; count++) yield long
}

const bodies: Record<string, () => string | AsyncIterable<string>> = {
  '/long': () => long,
  '/short': () => long.slice(1),
  '/list': pieces,
  '/watch': pieces,
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-compression-'))
  pki = await openPki(directory)
  server = await serve({
    certificate: pki.serving.certificate,
    privateKey: pki.serving.key,
    authority: pki.authority,
    host: '127.0.0.1',
    port: 0,
    handler: async ({ url }) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: bodies[url]?.() ?? '',
      isList: url === '/list',
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

async function get(path: string, encoding: string): Promise<{ packed: boolean; text: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'accept-encoding': encoding }
    const options = { host: '127.0.0.1', port: server.port, path, ca: pki.authority, headers }
    request(options, resolve).on('error', reject).end()
  })
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  const packed = response.headers['content-encoding'] === 'gzip'
  expect(response.headers.vary).toBe(packed ? 'Accept-Encoding' : undefined)
  return { packed, text: (packed ? gunzipSync(body) : body).toString() }
}

it('packs long answers for clients that take it', async () => {
  expect(await get('/long', 'deflate, gzip')).toEqual({ packed: true, text: long })
  expect(await get('/long', 'gzip;q=1')).toEqual({ packed: false, text: long })
  expect(await get('/short', 'gzip')).toEqual({ packed: false, text: long.slice(1) })
})

it('packs a list that goes out in pieces, and never a watch', async () => {
  expect(await get('/list', 'gzip')).toEqual({ packed: true, text: long.repeat(100) })
  expect(await get('/watch', 'gzip')).toEqual({ packed: false, text: long.repeat(100) })
})
