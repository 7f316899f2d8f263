import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  kinds,
  openHttpsTransport,
  readKubeconfig,
} from '../../src/kube/index.ts'
import { repositoryRoot } from '../guide/stage.ts'

const namespace = 'default'
const name = 'counts'
const lines = 40
const build = process.env['CRASH_BUILD'] ?? 'dist'

describe('a job that runs while the cluster is killed', () => {
  let directory: string
  let cluster: ChildProcess | undefined
  let closeConnection: (() => void) | undefined

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arena-job-crash-'))
  })
  afterAll(async () => {
    closeConnection?.()
    cluster?.kill('SIGTERM')
    if (cluster && cluster.exitCode === null) await once(cluster, 'exit')
    await rm(directory, { recursive: true, force: true })
  })

  async function start(): Promise<KubeClient> {
    closeConnection?.()
    const words = ['cluster', 'start', '--data-dir', join(directory, 'data')]
    cluster = spawn(process.execPath, [join(repositoryRoot, build, 'arena.js'), ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [piece] = await once(cluster.stdout ?? cluster, 'data')
    const environment = { KUBECONFIG: String(piece).trim() }
    const connection = await connectionOf(await readKubeconfig({ environment }), { environment })
    const { transport, close } = await openHttpsTransport(connection)
    closeConnection = close
    return createKubeClient(transport)
  }

  /** Waits for a phase of the pod. */
  async function until(client: KubeClient, phase: string): Promise<void> {
    const where = { namespace, fieldSelector: `metadata.name=${name}` }
    const list = await client.list(kinds.pods, where)
    if (list.items[0]?.status?.phase === phase) return
    const resourceVersion = list.metadata.resourceVersion ?? '0'
    const signal = AbortSignal.timeout(60_000)
    for await (const { type, object } of client.watch(kinds.pods, { ...where, resourceVersion, signal }))
      if (type !== 'BOOKMARK' && object.status?.phase === phase) return
  }

  it('goes on without the cluster, and its whole log is there afterwards', async () => {
    const command = `for i in $(seq ${lines}); do echo line $i; sleep 0.1; done`
    const before = await start()
    await before.create(
      kinds.pods,
      {
        metadata: { name },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'main', image: 'none', command: ['sh', '-c', command] }],
        },
      },
      { namespace },
    )
    await until(before, 'Running')
    const gone = once(cluster ?? process, 'exit')
    cluster?.kill('SIGKILL')
    await gone
    const after = await start()
    await until(after, 'Succeeded')
    const { body } = await after.raw({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/pods/${name}/log`,
      headers: {},
    })
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    const log = Buffer.concat(pieces).toString('utf8')
    expect(log.trim().split('\n')).toEqual(Array.from({ length: lines }, (_, index) => `line ${index + 1}`))
    const pod = await after.get(kinds.pods, { namespace, name })
    expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(0)
  }, 120_000)
})
