import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../src/errors.ts'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  kinds,
  openHttpsTransport,
  readKubeconfig,
  StatusError,
} from '../../src/kube/index.ts'
import { repositoryRoot } from '../guide/stage.ts'
import { Ledger } from './ledger.ts'

/** How often the cluster is killed. A long run: `CRASH_ROUNDS=200 npx vitest run e2e/crash`. */
const rounds = Number(process.env['CRASH_ROUNDS'] ?? 8)
/** Directory of the build that is killed, from the root of the repository. */
const build = process.env['CRASH_BUILD'] ?? 'dist'
const writers = 12
const objectsPerWriter = 6
const namespace = 'default'
const labelSelector = 'crash=yes'

interface Connected {
  readonly client: KubeClient
  close(): void
}

/** Kills the cluster's process again and again under mixed load, and holds what is there afterwards against what was acknowledged. */
describe(`a cluster that is killed ${rounds} times`, () => {
  let directory: string
  let cluster: ChildProcess | undefined
  let port = 0
  const ledger = new Ledger()

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arena-crash-'))
    await writeFile(join(directory, 'cluster.yaml'), '{"nodes": []}')
  })

  afterAll(async () => {
    cluster?.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  async function start(): Promise<Connected> {
    const words = [
      'cluster',
      'start',
      '--data-dir',
      join(directory, 'data'),
      '--config',
      join(directory, 'cluster.yaml'),
    ]
    const child = spawn(
      process.execPath,
      [join(repositoryRoot, build, 'arena.js'), ...words, '--port', String(port)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    cluster = child
    let said = ''
    child.stderr.on('data', (piece: Buffer) => {
      said += piece.toString('utf8')
    })
    const path = await Promise.race([
      once(child.stdout, 'data').then(([piece]) => String(piece).trim()),
      once(child, 'exit').then(() => {
        throw new Error(`the cluster did not start: ${said}`)
      }),
    ])
    const environment = { KUBECONFIG: path }
    const connection = await connectionOf(await readKubeconfig({ environment }), { environment })
    port = Number(new URL(connection.server).port)
    const { transport, close } = await openHttpsTransport(connection)
    return { client: createKubeClient(transport), close }
  }

  async function kill(): Promise<void> {
    const child = cluster
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Creates, changes and removes objects of its own until the server dies. */
  async function write(client: KubeClient, writer: number, round: number): Promise<void> {
    for (let step = 0; ; step++) {
      const name = `c${writer}-${step % objectsPerWriter}`
      const held = ledger.valueOf(name)
      const value = `${round}.${step}`
      const isRemoval = held !== undefined && step % 5 === 4
      ledger.begin(name, isRemoval ? undefined : value)
      try {
        if (isRemoval) {
          await client.delete(kinds.configMaps, { namespace, name })
          ledger.acknowledge(name, undefined, undefined)
        } else {
          const body = { metadata: { name, labels: { crash: 'yes' } }, data: { value } }
          const written =
            held === undefined
              ? await client.create(kinds.configMaps, body, { namespace })
              : await client.patch(
                  kinds.configMaps,
                  { namespace, name },
                  { type: 'merge', patch: { data: { value } } },
                )
          ledger.acknowledge(name, value, Number(written.metadata.resourceVersion))
        }
      } catch (error) {
        if (error instanceof StatusError) ledger.refuse(name)
        else if (isConnectionEnd(error)) return
        else throw error
      }
    }
  }

  /** Follows all changes after a version until the server dies. */
  async function watch(client: KubeClient, after: number): Promise<number> {
    let version = after
    try {
      const events = client.watch(kinds.configMaps, {
        namespace,
        labelSelector,
        resourceVersion: String(after),
      })
      for await (const { type, object } of events) {
        version = Number(object.metadata.resourceVersion)
        ledger.watched(object.metadata.name, version, type === 'DELETED')
      }
    } catch (error) {
      if (!isConnectionEnd(error)) throw error
    }
    return version
  }

  it('keeps every acknowledged write, gives no version twice, and lets watches go on without a gap', async () => {
    let watchedUpTo = 0
    for (let round = 1; round <= rounds; round++) {
      const { client, close } = await start()
      const list = await client.list(kinds.configMaps, { namespace, labelSelector })
      const present = new Map(list.items.map(({ metadata, data }) => [metadata.name, data?.['value'] ?? '']))
      const version = Number(list.metadata.resourceVersion)
      ledger.compare(present, version)
      if (watchedUpTo === 0) watchedUpTo = version
      const watching = watch(client, watchedUpTo)
      const work = Array.from({ length: writers }, (_, writer) => write(client, writer, round))
      // Somewhere in the middle of the work, never at the same place.
      await new Promise((resolve) => {
        setTimeout(resolve, 30 + Math.random() * 400)
      })
      await kill()
      await Promise.all(work)
      watchedUpTo = await watching
      close()
      expect(ledger.faults, `after kill ${round}`).toEqual([])
      expect(ledger.missedBy(watchedUpTo), `versions the watch left out, after kill ${round}`).toEqual([])
    }
    expect(ledger.acknowledgements).toBeGreaterThan(rounds)
    process.stdout.write(`${ledger.acknowledgements} acknowledged writes survived ${rounds} kills\n`)
  }, 3_600_000)
})

/** The server is gone: the answer never comes. */
function isConnectionEnd(error: unknown): boolean {
  if (error instanceof UserError) return error.code === 'CLUSTER_UNREACHABLE'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code)
}
