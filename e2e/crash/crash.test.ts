import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  type KubeObject,
  kinds,
  openHttpsTransport,
  readKubeconfig,
  type ResourceType,
} from '../../src/kube/index.ts'
import { repositoryRoot } from '../guide/stage.ts'
import { type Backup, faultsOf, makeBackups } from './backups.ts'
import { isConnectionEnd } from './connection-end.ts'
import { Ledger } from './ledger.ts'
import { defineThings, keyOf, loadedKinds, namespace, type Tokens, valueAnnotation, write } from './load.ts'

/** How often the cluster is killed. A long run: `CRASH_ROUNDS=200 npx vitest run e2e/crash`. */
const rounds = Number(process.env['CRASH_ROUNDS'] ?? 5)
/** Directory of the build that is killed, from the root of the repository. */
const build = process.env['CRASH_BUILD'] ?? 'dist'
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
  const tokens: Tokens = new Map()
  let tokensChecked = 0

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arena-crash-'))
    await writeFile(join(directory, 'cluster.yaml'), '{"nodes": []}')
  })

  afterAll(async () => {
    cluster?.kill('SIGKILL')
    // What went wrong can be looked into.
    if (ledger.faults.length > 0) process.stdout.write(`the data is left in ${directory}\n`)
    else await rm(directory, { recursive: true, force: true })
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

  /** Follows all changes of a kind after a version until the server dies. */
  async function watch(client: KubeClient, type: ResourceType<KubeObject>, after: number): Promise<number> {
    let version = after
    try {
      const events = client.watch(type, {
        ...(type.namespaced && { namespace }),
        labelSelector,
        resourceVersion: String(after),
      })
      for await (const { type: what, object } of events) {
        version = Number(object.metadata.resourceVersion)
        ledger.watched(type.plural, object.metadata.name, version, what === 'DELETED')
      }
    } catch (error) {
      if (!isConnectionEnd(error)) throw error
    }
    return version
  }

  /** Holds all objects against what was acknowledged; accounts that are there by uid. */
  async function compare(client: KubeClient): Promise<{ version: number; accounts: Set<string> }> {
    const present = new Map<string, string>()
    const accounts = new Set<string>()
    let version = 0
    for (const { type } of loadedKinds) {
      const list = await client.list(type, { ...(type.namespaced && { namespace }), labelSelector })
      version = Number(list.metadata.resourceVersion)
      ledger.holdVersion(version)
      for (const { metadata } of list.items) {
        // A removal was acknowledged, and is under way.
        if (metadata.deletionTimestamp !== undefined) continue
        present.set(keyOf(type, metadata.name), metadata.annotations?.[valueAnnotation] ?? '')
        ledger.holdSeen(type.plural, metadata.name, Number(metadata.resourceVersion))
        if (type.plural === 'serviceaccounts') accounts.add(metadata.uid)
      }
    }
    ledger.compare(present)
    return { version, accounts }
  }

  /** A token is good as long as its account lives, and not a moment longer. */
  async function checkTokens(client: KubeClient, accounts: ReadonlySet<string>): Promise<void> {
    await Promise.all(
      [...tokens].map(async ([uid, { name, token }]) => {
        const review = { metadata: {}, spec: { token } }
        const { status } = await client.create(kinds.tokenReviews, review)
        const isGood = status?.authenticated === true
        if (isGood !== accounts.has(uid))
          ledger.faults.push(`a token of ${name} is ${isGood ? 'good' : 'not good'} after the kill`)
        tokensChecked++
        if (!accounts.has(uid)) tokens.delete(uid)
      }),
    )
  }

  /** What controllers owe to acknowledged writes comes to be, however often they were killed. */
  async function checkSettled(client: KubeClient): Promise<void> {
    const leftOver = async (): Promise<string[]> => {
      const names: string[] = []
      for (const { type } of loadedKinds) {
        const { items } = await client.list(type, { ...(type.namespaced && { namespace }), labelSelector })
        for (const { metadata } of items)
          if (metadata.deletionTimestamp !== undefined) names.push(keyOf(type, metadata.name))
      }
      const namespaces = new Set(
        (await client.list(kinds.namespaces)).items.map(({ metadata }) => metadata.name),
      )
      for (const { metadata } of (await client.list(kinds.configMaps)).items)
        if (!namespaces.has(metadata.namespace ?? '')) names.push(`${metadata.namespace} ${metadata.name}`)
      const jobs = new Set(
        (await client.list(kinds.jobs, { namespace })).items.map(({ metadata }) => metadata.uid),
      )
      const pods = (await client.list(kinds.pods, { namespace })).items.map(
        ({ metadata }) => metadata.ownerReferences?.[0]?.uid ?? '',
      )
      for (const owner of pods) if (!jobs.has(owner)) names.push(`a pod of job ${owner}, which is gone`)
      for (const job of jobs) {
        const count = pods.filter((owner) => owner === job).length
        if (count !== 1) names.push(`${count} pods of job ${job}`)
      }
      return names
    }
    await expect.poll(leftOver, { timeout: 30_000, interval: 50 }).toEqual([])
  }

  it('keeps every acknowledged write and token, gives no version twice, and lets watches and backups go on without a gap', async () => {
    const watchedUpTo = new Map<string, number>()
    let unchecked: Backup[] = []
    let backups = 0
    for (let round = 1; round <= rounds + 1; round++) {
      const { client, close } = await start()
      if (round === 1) await defineThings(client)
      const { version, accounts } = await compare(client)
      await checkTokens(client, accounts)
      const watching = loadedKinds.map(async ({ type }) => {
        const { plural } = type
        watchedUpTo.set(plural, await watch(client, type, watchedUpTo.get(plural) ?? version))
      })
      const isLast = round > rounds
      const stopBackups = new AbortController()
      const load = { client, ledger, tokens, round }
      const backing = makeBackups(join(directory, 'data'), join(directory, 'backup'), stopBackups.signal)
      const work = isLast
        ? [checkSettled(client)]
        : loadedKinds.flatMap((loaded) =>
            Array.from({ length: loaded.writers }, (_, writer) => write(load, loaded, writer)),
          )
      if (isLast) await Promise.all(work)
      // Somewhere in the middle of the work, never at the same place.
      else
        await Promise.race([
          ledger.reaches(ledger.acknowledgements + Math.ceil(Math.random() * 200)),
          ...work,
        ])
      stopBackups.abort()
      if (isLast) await backing
      await kill()
      await Promise.all([...work, ...watching])
      close()
      // The watches of this round began with all that happened before it.
      for (const backup of unchecked) ledger.faults.push(...faultsOf(backup, ledger))
      unchecked = await backing
      backups += unchecked.length
      expect(ledger.faults, `after kill ${round}`).toEqual([])
      for (const [kind, upTo] of watchedUpTo)
        expect(ledger.missedBy(kind, upTo), `versions the watch of ${kind} left out, kill ${round}`).toEqual(
          [],
        )
    }
    expect(ledger.acknowledgements).toBeGreaterThan(rounds)
    process.stdout.write(
      `${ledger.acknowledgements} acknowledged writes survived ${rounds} kills; ${tokensChecked} times a token was tried; ${backups} backups were made meanwhile\n${ledger.summary()}\n`,
    )
  }, 3_600_000)
})
