import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assembleApiServer } from '../../../src/cluster/api-server.ts'
import { openPki, type Pki } from '../../../src/cluster/auth/index.ts'
import { usualLimits } from '../../../src/cluster/http/fairness.ts'
import { type ApiServer, serve } from '../../../src/cluster/http/index.ts'
import { memoryDisk, OrderedStore } from '../../../src/cluster/storage/index.ts'
import { type KubeClient, type KubeObject, kinds } from '../../../src/kube/index.ts'

const most = 400
/** Over one connection HTTP/2 lets so many through at once. */
const perSession = 100
const refusals = 300
const path = '/api/v1/namespaces/default/configmaps'
const stopping = new AbortController()
const sessions: ClientHttp2Session[] = []
const faults: unknown[] = []
/** Watches of the store that nobody has ended. */
let subscriptions = 0
let directory: string
let pki: Pki
let server: ApiServer
let admin: KubeClient

class CountedStore extends OrderedStore<KubeObject> {
  override watch(
    ...[prefix, options]: Parameters<OrderedStore<KubeObject>['watch']>
  ): ReturnType<OrderedStore<KubeObject>['watch']> {
    if (prefix.includes('configmaps')) {
      subscriptions++
      options.signal.addEventListener('abort', () => subscriptions--, { once: true })
    }
    return super.watch(prefix, options)
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-many-watches-'))
  pki = await openPki(directory)
  const core = await assembleApiServer({
    store: new CountedStore(memoryDisk()),
    pki,
    address: () => `127.0.0.1:${server.port}`,
    streams: () => undefined,
    usage: () => undefined,
    signal: stopping.signal,
    log: (line) => faults.push(line),
  })
  server = await serve({
    certificate: pki.serving.certificate,
    privateKey: pki.serving.key,
    authority: pki.authority,
    host: '127.0.0.1',
    port: 0,
    limits: { ...usualLimits, streams: most },
    ...core.front,
    authenticate: (_socket, headers) => ({
      name: headers.authorization ?? '',
      groups: ['system:authenticated'],
    }),
  })
  admin = core.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  await admin.create(kinds.clusterRoles, {
    metadata: { name: 'watcher' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }],
  })
  await admin.create(kinds.clusterRoleBindings, {
    metadata: { name: 'watchers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'watcher' },
    subjects: ['tom', 'bob'].map((name) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })),
  })
  await admin.create(kinds.configMaps, { metadata: { name: 'there' } }, { namespace: 'default' })
})

afterAll(async () => {
  for (const session of sessions) session.destroy()
  stopping.abort()
  await server.close()
  await rm(directory, { recursive: true, force: true })
})

function newSession(): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: pki.authority })
  session.on('error', () => undefined)
  sessions.push(session)
  return session
}

interface Answer {
  readonly stream: ClientHttp2Stream
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

async function ask(session: ClientHttp2Session, user: string, query = ''): Promise<Answer> {
  const stream = session.request({ ':path': `${path}${query}`, authorization: user })
  stream.on('error', () => undefined)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  return { stream, status: headers[':status'] ?? 0, headers }
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  let said = ''
  for await (const piece of stream) said += String(piece)
  return said
}

/** What this process holds after all that may go has gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => void setImmediate(resolve))
    runInNewContext('gc')()
  }
  return process.memoryUsage().heapUsed
}

describe('a user who opens watches without end', () => {
  it("is refused at the limit with a time to come back, costs no more than the limit, and is in nobody else's way", async () => {
    const watches: Answer[] = []
    for (let opened = 0; opened < most; opened += perSession) {
      const session = newSession()
      watches.push(
        ...(await Promise.all(Array.from({ length: perSession }, () => ask(session, 'tom', '?watch=true')))),
      )
    }
    expect(watches.map(({ status }) => status)).toEqual(watches.map(() => 200))
    expect(subscriptions).toBe(most)
    const held = await heldBytes()

    const session = newSession()
    for (let refused = 0; refused < refusals; refused += 50) {
      // With and without what is there first: the two begin differently.
      const query = refused % 100 ? '?watch=true' : '?watch=true&labelSelector=none'
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(session, 'tom', query)))
      for (const { status, headers, stream } of answers) {
        expect(status).toBe(429)
        expect(headers['retry-after']).toBe('1')
        expect(JSON.parse(await textOf(stream))).toMatchObject({
          reason: 'TooManyRequests',
          message: `user "tom" has ${most} watches open, please try again later`,
        })
      }
    }
    expect(subscriptions).toBe(most)
    expect((await heldBytes()) - held).toBeLessThan(8 * 1024 * 1024)

    // His plain requests go on, and so do the watches of others.
    expect((await ask(session, 'tom')).status).toBe(200)
    const other = await ask(newSession(), 'bob', '?watch=true&resourceVersion=1')
    expect(other.status).toBe(200)
    await admin.create(kinds.configMaps, { metadata: { name: 'new' } }, { namespace: 'default' })
    for await (const piece of other.stream) if (String(piece).includes('"new"')) break

    for (const { stream } of watches.slice(0, 10)) stream.destroy()
    // The server hears of it a moment after the client, of the other user's too.
    await expect.poll(() => subscriptions, { interval: 5, timeout: 10_000 }).toBe(most - 10)
    expect((await ask(session, 'tom', '?watch=true')).status).toBe(200)
    expect(faults).toEqual([])
  })
})
