import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { type RequestOptions, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'
import { type KubeClient, kinds } from '../../../../src/kube/index.ts'
import { proxiedProgram } from './proxied-program.ts'

const patience = { timeout: 20_000 }
const namespace = 'default'
const pods = `/api/v1/namespaces/${namespace}/pods`
const services = `/api/v1/namespaces/${namespace}/services`

let dataDir: string
let cluster: Cluster
let client: KubeClient
let port: number
let credentials: { ca: string; cert: string; key: string }
const faults: string[] = []

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-proxy-'))
  cluster = await startCluster({
    dataDir,
    config: {
      ...usualConfig,
      nodes: [{ name: 'n1', role: 'worker', capacity: { cpu: '64', memory: '64Gi' }, labels: {} }],
    },
    log: (line) => faults.push(line),
  })
  client = cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  const kubeconfig = readFileSync(cluster.adminKubeconfig, 'utf8')
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}"?: "?([A-Za-z0-9+/=]+)`).exec(kubeconfig)?.[1] ?? '', 'base64').toString()
  credentials = {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  }
  await vi.waitFor(async () => client.get(kinds.serviceAccounts, { namespace, name: 'default' }), patience)
  await vi.waitFor(
    async () => client.get(kinds.configMaps, { namespace, name: 'kube-root-ca.crt' }),
    patience,
  )
  for (const name of ['web', 'other']) await run(name)
  port = await portOf('web')
  await client.create(
    kinds.services,
    {
      metadata: { name: 'front' },
      spec: {
        selector: { app: 'web' },
        ports: [
          { name: 'http', port: 80, targetPort: port },
          { name: 'closed', port: 81, targetPort: 1 },
        ],
      },
    },
    { namespace },
  )
  await client.create(
    kinds.services,
    { metadata: { name: 'nobody' }, spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] } },
    { namespace },
  )
}, 60_000)

afterAll(async () => {
  for (const name of ['web', 'other'])
    await client.delete(kinds.pods, { namespace, name }, { gracePeriodSeconds: 0 })
  await vi.waitFor(
    async () => expect((await client.list(kinds.pods, { namespace })).items).toEqual([]),
    patience,
  )
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function run(name: string): Promise<void> {
  await client.create(
    kinds.pods,
    {
      metadata: { name, labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'x', command: ['python3', '-c', proxiedProgram] }] },
    },
    { namespace },
  )
}

async function logOf(name: string): Promise<string> {
  const response = await client.raw({ method: 'GET', path: `${pods}/${name}/log`, headers: {} })
  let text = ''
  for await (const piece of response.body) text += Buffer.from(piece).toString()
  return text
}

async function portOf(name: string): Promise<number> {
  return vi.waitFor(async () => {
    const found = /^(\d+)\n/.exec(await logOf(name))?.[1]
    if (found === undefined) throw new Error('the program is not there yet')
    return Number(found)
  }, patience)
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

async function send(
  method: string,
  path: string,
  options: RequestOptions & { readonly body?: Buffer } = {},
): Promise<Answer> {
  const { body, ...more } = options
  const sent = request({
    host: '127.0.0.1',
    port: new URL(cluster.url).port,
    method,
    path,
    ...credentials,
    ...more,
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(pieces).toString() }
}

const told = ({
  text,
}: Answer): { method: string; path: string; headers: Record<string, string>; sent: string } =>
  JSON.parse(text)
const messageOf = ({ text }: Answer): string => JSON.parse(text).message

describe('a request to a pod', () => {
  test('goes with its method, path, query and body, and comes back as the pod answers', async () => {
    const body = randomBytes(5_000_000)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await send(method, `${pods}/web:${port}/proxy/a%2Fb/../c?watch=true&q=%20`, {
        ...(method !== 'GET' && { body, headers: { 'content-length': body.length } }),
      })
      expect(answer.status, answer.text).toBe(200)
      expect(told(answer)).toMatchObject({
        method,
        path: '/a%2Fb/../c?watch=true&q=%20',
        sent: createHash('sha256')
          .update(method === 'GET' ? '' : body)
          .digest('hex'),
      })
      expect(answer.headers['x-own']).toBe('kept')
      expect(answer.headers).not.toHaveProperty('x-secret')
    }
    expect((await send('GET', `${pods}/web:${port}/proxy/teapot`)).status).toBe(418)
    expect(await send('HEAD', `${pods}/web:${port}/proxy/`)).toMatchObject({ status: 200, text: '' })
    expect(await send('GET', `${pods}/web:${port}/proxy?a=b`)).toMatchObject({
      status: 301,
      headers: { location: `${pods}/web:${port}/proxy/?a=b` },
    })
  })

  test('comes over HTTP/2 too', async () => {
    const session = connectHttp2(cluster.url, credentials)
    const stream = session.request({ ':method': 'POST', ':path': `${pods}/web:${port}/proxy/two` })
    stream.end('body')
    let text = ''
    for await (const piece of stream) text += String(piece)
    session.close()
    expect(JSON.parse(text)).toMatchObject({ method: 'POST', path: '/two' })
  })

  test('does not tell the pod who asks', async () => {
    const { headers } = told(
      await send('GET', `${pods}/web:${port}/proxy/`, {
        headers: {
          authorization: 'Bearer secret',
          'impersonate-user': 'kubernetes-admin',
          'impersonate-group': 'system:masters',
          'x-remote-user': 'root',
          'x-forwarded-for': '10.0.0.1',
          'proxy-authorization': 'x',
          connection: 'x-mine',
          'x-mine': 'of the connection',
          'x-yours': 'passed on',
        },
      }),
    )
    const pod = await client.get(kinds.pods, { namespace, name: 'web' })
    expect(headers).toEqual({
      'x-yours': 'passed on',
      host: `${pod.status?.podIP}:${port}`,
      'x-forwarded-host': expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': `${pods}/web:${port}/proxy/`,
      'x-forwarded-for': '127.0.0.1',
      connection: 'close',
    })
  })

  test('is for who has the right to do that to pods/proxy', async () => {
    const as = (method: string, path: string): Promise<Answer> =>
      send(method, path, { headers: { 'impersonate-user': 'eve' } })
    expect((await as('GET', `${pods}/web:${port}/proxy/`)).status).toBe(403)
    await client.create(
      kinds.roles,
      {
        metadata: { name: 'look' },
        rules: [
          { apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'], resourceNames: [`web:${port}`] },
        ],
      },
      { namespace },
    )
    await client.create(
      kinds.roleBindings,
      {
        metadata: { name: 'look' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'look' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
      },
      { namespace },
    )
    expect((await as('GET', `${pods}/web:${port}/proxy/?watch=true`)).status).toBe(200)
    expect((await as('POST', `${pods}/web:${port}/proxy/`)).status).toBe(403)
    expect((await as('GET', `${pods}/web/proxy/`)).status).toBe(403)
    expect((await as('GET', `${services}/front:http/proxy/`)).status).toBe(403)
    // What stands behind `proxy` is the pod's to read, and leads to no other.
    const tricks = [`web:${port}/proxy/../../other/proxy/`, `web:${port}/proxy/..%2f..%2fother`]
    for (const trick of tricks) {
      const answer = await as('GET', `${pods}/${trick}`)
      expect(told(answer).path).toBe(trick.slice(`web:${port}/proxy`.length))
    }
    for (const trick of [`../pods/web:${port}/proxy/`, `web:${port}/x/../proxy/`, `web:${port}%2fproxy/`]) {
      const answer = await as('GET', `${pods}/${trick}`)
      expect([403, 404], answer.text).toContain(answer.status)
    }
  })

  test('never holds another one that the right was not asked for', async () => {
    const smuggled = `POST /smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`
    const session = connectHttp2(cluster.url, credentials)
    const stream = session.request(
      { ':method': 'GET', ':path': `${pods}/web:${port}/proxy/one` },
      { endStream: false },
    )
    stream.end(smuggled)
    let text = ''
    for await (const piece of stream) text += String(piece)
    session.close()
    expect(JSON.parse(text)).toMatchObject({
      method: 'GET',
      path: '/one',
      sent: createHash('sha256').update(smuggled).digest('hex'),
    })
    const chunked = await send('DELETE', `${pods}/web:${port}/proxy/two`, {
      body: Buffer.from(smuggled),
      headers: { 'transfer-encoding': 'chunked' },
    })
    expect(told(chunked)).toMatchObject({
      method: 'DELETE',
      sent: createHash('sha256').update(smuggled).digest('hex'),
    })
  })

  test.each<[string, (own: number, others: number) => string, number, RegExp]>([
    ['that is not there', () => 'absent/proxy/', 404, /^pods "absent" not found$/],
    ['by no name', (own) => `a:b:c:${own}/proxy/`, 400, /^invalid pod request "a:b:c:/],
    ['by no scheme', (own) => `ftp:web:${own}/proxy/`, 400, /^invalid pod request/],
    ['at no port', () => 'web:x/proxy/', 400, /no port/],
    [
      'where nobody listens',
      () => 'web:1/proxy/',
      503,
      /^error trying to reach service: dial tcp 127\.\d+\.\d+\.\d+:1: connect: connection refused$/,
    ],
    [
      "where another pod's program listens",
      (_own, others) => `web:${others}/proxy/`,
      503,
      /connection refused$/,
    ],
    ['that speaks no TLS', (own) => `https:web:${own}/proxy/`, 503, /^error trying to reach service: /],
    [
      'that answers with nonsense',
      (own) => `web:${own}/proxy/nonsense`,
      503,
      /^error trying to reach service: /,
    ],
  ])('is refused for one %s', async (_what, path, status, message) => {
    const answer = await send('GET', `${pods}/${path(port, await portOf('other'))}`)
    expect(answer.status, answer.text).toBe(status)
    expect(messageOf(answer)).toMatch(message)
  })

  test('ends with the client, when the pod never answers', async () => {
    const waiting = request({
      host: '127.0.0.1',
      port: new URL(cluster.url).port,
      path: `${pods}/web:${port}/proxy/never`,
      ...credentials,
    })
    waiting.on('error', () => undefined)
    waiting.end()
    await vi.waitFor(async () => expect(await logOf('web')).toContain('waiting\n'), patience)
    waiting.destroy()
    await vi.waitFor(async () => expect(await logOf('web')).toContain('gone\n'), patience)
  })

  test('brings an answer of any length, as fast as it is read and without holding it', async () => {
    const sent = request({
      host: '127.0.0.1',
      port: new URL(cluster.url).port,
      path: `${pods}/web:${port}/proxy/huge`,
      ...credentials,
    })
    sent.end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const before = process.memoryUsage().rss
    let length = 0
    let most = 0
    for await (const piece of answer) {
      length += (piece as Buffer).length
      most = Math.max(most, process.memoryUsage().rss - before)
    }
    expect(length).toBe(96 << 20)
    expect(most).toBeLessThan(64 << 20)
  }, 60_000)

  test('shows that the answer was broken off, and is no fault of the server', async () => {
    await expect(send('GET', `${pods}/web:${port}/proxy/broken`)).rejects.toThrow()
    expect(faults).toEqual([])
  })
})

describe('a request to a service', () => {
  test.each(['front:http', 'front:80', 'http:front:http'])('goes to one of its pods: %s', async (name) => {
    const answer = await vi.waitFor(async () => {
      const got = await send('GET', `${services}/${name}/proxy/x`)
      expect(got.status, got.text).toBe(200)
      return got
    }, patience)
    expect(told(answer)).toMatchObject({ method: 'GET', path: '/x' })
  })

  test.each([
    ['absent', 404, 'services "absent" not found'],
    ['nobody', 503, 'no endpoints available for service "nobody"'],
    ['front:99', 503, 'no service port 99 found for service "front"'],
    ['front:nonsense', 503, 'no endpoints available for service "front"'],
    ['kubernetes:https', 404, 'services "kubernetes" not found'],
  ])('is refused: %s', async (name, status, message) => {
    const at = name.startsWith('kubernetes') ? services.replace('default', 'kube-public') : services
    const answer = await send('GET', `${at}/${name}/proxy/`)
    expect([answer.status, messageOf(answer)]).toEqual([status, message])
  })

  test('never goes where endpoints written by hand point', async () => {
    const ports = [{ port: 80, targetPort: Number(new URL(cluster.url).port) }]
    await client.create(kinds.services, { metadata: { name: 'hand' }, spec: { ports } }, { namespace })
    const address = { ip: '10.1.2.3', targetRef: { kind: 'Pod', name: 'web', namespace } }
    await client.create(
      kinds.endpoints,
      {
        metadata: { name: 'hand' },
        subsets: [
          { addresses: [address, { ip: '10.1.2.4' }], ports: [{ port: Number(new URL(cluster.url).port) }] },
        ],
      },
      { namespace },
    )
    const answer = await send('GET', `${services}/hand/proxy/version`)
    expect([answer.status, messageOf(answer)]).toEqual([503, 'no endpoints available for service "hand"'])
  })
})

describe('another protocol', () => {
  const upgrade = async (path: string, headers = ''): Promise<{ socket: TLSSocket; head: string }> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(cluster.url).port), ...credentials })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n${headers}\r\n`)
    let head = ''
    while (!head.includes('\r\n\r\n')) {
      const [piece] = (await once(socket, 'data')) as [Buffer]
      head += piece.toString()
    }
    return { socket, head }
  }

  test('is spoken once the pod agrees', async () => {
    const { socket, head } = await upgrade(`${pods}/web:${port}/proxy/switch`)
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(head).toContain('upgrade: echo')
    socket.write('hello')
    const [piece] = (await once(socket, 'data')) as [Buffer]
    expect(piece.toString()).toBe('HELLO')
    socket.destroy()
  })

  test('is not, where the pod answers something else, and then the connection ends', async () => {
    const { socket, head } = await upgrade(`${pods}/web:${port}/proxy/plain`)
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(head).toContain('connection: close')
    // The next request on it would be for the API, with a token in it, and must not reach the pod.
    let rest = ''
    for await (const piece of socket) rest += String(piece)
    expect(rest).toContain('"upgrade": "echo"')
  })

  test('is refused to who may not, and where nobody listens', async () => {
    const eve = 'impersonate-user: mallory\r\n'
    expect((await upgrade(`${pods}/web:${port}/proxy/switch`, eve)).head).toMatch(/^HTTP\/1\.1 403 /)
    expect((await upgrade(`${pods}/web:1/proxy/switch`)).head).toMatch(/^HTTP\/1\.1 503 /)
  })
})
