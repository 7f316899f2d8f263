import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'
import { type KubeClient, kinds } from '../../../src/kube/index.ts'

let dataDir: string
let cluster: Cluster
let admin: KubeClient
let credentials: { ca: string; cert: string; key: string }
const path = '/api/v1/namespaces/default/configmaps'

const open = (): TLSSocket => connect({ port: Number(new URL(cluster.url).port), ...credentials })

/** Sends these bytes over a connection of its own: everything that comes back until it ends or the answer is whole. */
async function exchange(...pieces: (string | Buffer)[]): Promise<{ status: number; text: string }> {
  const socket = open()
  let text = ''
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  for (const piece of pieces) socket.write(piece)
  return new Promise((resolve) => {
    const done = (): void => {
      socket.destroy()
      resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0), text })
    }
    socket.on('data', (data: Buffer) => {
      text += data.toString('utf8')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? NaN)
      if (/transfer-encoding: chunked/i.test(text) && text.endsWith('\r\n0\r\n\r\n')) done()
      const body = text.indexOf('\r\n\r\n') + 4
      if (body >= 4 && Buffer.byteLength(text.slice(body)) >= length) done()
    })
    socket.on('close', done)
  })
}

const request = (
  method: string,
  url: string,
  body: string | Buffer = '',
  headers = '',
): Promise<{ status: number; text: string }> =>
  exchange(
    `${method} ${url} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`,
    body,
  )

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-hostile-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
  admin = cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  const kubeconfig = readFileSync(cluster.adminKubeconfig, 'utf8')
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}"?: "?([A-Za-z0-9+/=]+)`).exec(kubeconfig)?.[1] ?? '', 'base64').toString()
  credentials = {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  }
})
afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Memory in use once garbage is collected. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The server is there for everyone else. */
async function expectHealthy(): Promise<void> {
  expect((await request('GET', `${path}?limit=1`)).status).toBe(200)
}

describe('an API server that is sent what it should not be', () => {
  it('refuses bodies of more than 3 MiB, announced or not, with 413', async () => {
    const announced = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${4 * 1024 ** 2}\r\n\r\n`,
    )
    expect(announced.status).toBe(413)
    const piece = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const chunked = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 4 }, () => piece),
    )
    expect(chunked.status).toBe(413)
    await expectHealthy()
  })

  it.each([
    ['nested 100,000 deep', `{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['half a document', '{"metadata":{"name":'],
    ['a number', '7'],
    ['nothing', ''],
  ])('answers a body that is %s with 400', async (_, body) => {
    expect((await request('POST', path, body)).status).toBe(400)
    await expectHealthy()
  })

  it('takes __proto__ and constructor for names like any other', async () => {
    const body =
      '{"metadata":{"name":"proto","__proto__":{"polluted":"yes"},"labels":{"constructor":"x"}},"data":{"__proto__":"a","constructor":"b"},"__proto__":{"polluted":"yes"}}'
    const made = await request('POST', path, body)
    expect(made.status).toBe(201)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    const read = await request('GET', `${path}/proto`)
    expect(read.text).toContain('"constructor":"b"')
    const patched = await exchange(
      `PATCH ${path}/proto HTTP/1.1\r\nhost: x\r\ncontent-type: application/merge-patch+json\r\ncontent-length: 36\r\n\r\n`,
      '{"__proto__":{"polluted":"yes"}    }',
    )
    expect([200, 400, 422]).toContain(patched.status)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('refuses headers that are too large with 431, and requests that two readers would read differently with 400', async () => {
    expect((await request('GET', path, '', `x: ${'y'.repeat(100_000)}\r\n`)).status).toBe(431)
    const both = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    )
    expect(both.status).toBe(400)
    const twice = await exchange(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd`,
    )
    expect(twice.status).toBe(400)
    await expectHealthy()
  })

  it.each([
    '/api/v1/namespaces/default/../kube-system/secrets',
    '/api/v1/namespaces/default/%2e%2e/kube-system/secrets',
    '/api/v1/namespaces/default/configmaps/a%2fb',
    '/api/v1/namespaces/default/configmaps/%00',
    '/api/v1/namespaces/default/configmaps/%zz',
    '/../../etc/passwd',
  ])('finds nothing at %s', async (url) => {
    expect([400, 403, 404]).toContain((await request('GET', url)).status)
  })

  it('bounds queries and selectors', async () => {
    const long = 'a%2Cb%2C'.repeat(1500)
    expect([200, 400]).toContain((await request('GET', `${path}?labelSelector=${long}c`)).status)
    expect((await request('GET', `${path}?limit=99999999999999999999`)).status).toBe(400)
    expect((await request('GET', `${path}?continue=${'x'.repeat(5000)}`)).status).toBe(400)
    expect((await request('GET', `${path}?${'a=b&'.repeat(3000)}`)).status).toBe(200)
  })

  it('serves others while hundreds of connections sit idle or send their request byte by byte', async () => {
    const idle = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const socket = open()
        socket.on('error', () => undefined)
        await once(socket, 'secureConnect')
        if (index % 2 === 0) socket.write(`GET ${path} HTTP/1.1\r\nhos`)
        return socket
      }),
    )
    const start = performance.now()
    await expectHealthy()
    expect(performance.now() - start).toBeLessThan(3000)
    for (const socket of idle) socket.destroy()
  })

  it('survives streams that are reset as soon as they are opened', async () => {
    const session = connectHttp2(cluster.url, credentials)
    session.on('error', () => undefined)
    for (let index = 0; index < 2000 && !session.destroyed; index++) {
      const stream = session.request({ ':path': path })
      stream.on('error', () => undefined)
      stream.close(8)
    }
    await expectHealthy()
    session.destroy()
  })

  it('holds no more for a watcher that does not read than for one that does', async () => {
    const socket = open()
    await once(socket, 'secureConnect')
    socket.write(`GET ${path}?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n`)
    await once(socket, 'data')
    socket.pause()
    await admin.create(kinds.configMaps, { metadata: { name: 'big' }, data: {} }, { namespace: 'default' })
    const before = usedBytes()
    for (let round = 0; round < 300; round++)
      await admin.patch(
        kinds.configMaps,
        { namespace: 'default', name: 'big' },
        { type: 'merge', patch: { data: { pad: String(round % 10).repeat(900_000) } } },
      )
    // 270 MB were sent its way; history and backlog hold 32 MB each, and what is on its way through the process comes on top.
    expect(usedBytes() - before).toBeLessThan(220 * 1024 ** 2)
    socket.destroy()
    await expectHealthy()
    // Three hundred large writes take a while where other programs want the processor too.
  }, 120_000)

  it('keeps serving one user while another floods it', async () => {
    const flood = Array.from({ length: 40 }, async () => {
      const session = connectHttp2(cluster.url, { ca: credentials.ca })
      session.on('error', () => undefined)
      const statuses = await Promise.all(
        Array.from(
          { length: 50 },
          () =>
            new Promise<number>((resolve) => {
              const stream = session.request({ ':path': path })
              stream.on('response', (headers) => resolve(Number(headers[':status'])))
              stream.on('error', () => resolve(0))
              stream.resume()
            }),
        ),
      )
      session.destroy()
      return statuses
    })
    for (let index = 0; index < 10; index++) await expectHealthy()
    const statuses = (await Promise.all(flood)).flat()
    // Nobody in particular may not list; what matters is that every request gets an answer.
    expect(statuses.every((status) => status === 403 || status === 429)).toBe(true)
  })
})
