import { setMaxListeners } from 'node:events'
import { join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import type { KubeClient, KubeObject } from '../kube/index.ts'
import { writeAdminKubeconfig } from './admin-kubeconfig.ts'
import { assembleApiServer } from './api-server.ts'
import { finishRestore } from './backup.ts'
import { openPki } from './auth/index.ts'
import { openTokenIssuers } from './authentication.ts'
import { type ClusterConfig, usualConfig } from './config.ts'
import { openAudit } from './audit.ts'
import { type Engine, startEngine } from './engine.ts'
import { type ApiServer, type ServerOptions, serve } from './http/index.ts'
import type { UserInfo } from './registry/index.ts'
import { openLmdb, OrderedStore } from './storage/index.ts'

/** Where a cluster keeps its data, and how it is set up. */
export interface ClusterOptions {
  /** Holds everything the cluster keeps; made when absent, readable by its owner alone. */
  readonly dataDir: string
  /** 0 (or left out): any free port. */
  readonly port?: number
  readonly config?: ClusterConfig
  /** One line for the operator's log. */
  log(line: string): void
}

/** A running embedded cluster. */
export interface Cluster {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Path of a kubeconfig with all rights, mode 0600. */
  readonly adminKubeconfig: string
  /** A client inside this process, acting as a user. */
  clientAs(user: UserInfo): KubeClient
  /** Stops everything and lets go of the data directory. Running jobs go on. */
  close(): Promise<void>
}

const host = '127.0.0.1'
const furnishMs = 50

/**
 * Starts the embedded cluster: store, API server, controllers, scheduler and nodes, in this process. Resolves when it
 * takes requests and its nodes are registered.
 *
 * @throws {UserError} `STORE_IN_USE`, `STORE_DAMAGED`, `STORE_UNWRITABLE`, `PORT_IN_USE`.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = resolve(options.dataDir)
  const { log } = options
  const stopping = new AbortController()
  // Each part of the cluster listens once, and there are many; Node.js takes more than ten for a leak.
  setMaxListeners(0, stopping.signal)
  const config = options.config ?? usualConfig
  await finishRestore(dataDir)
  const issuers = await openTokenIssuers(config, { signal: stopping.signal, log })
  const audit = await openAudit(config, dataDir, log)
  const store = new OrderedStore<KubeObject>(openLmdb(join(dataDir, 'store')))
  let server: ApiServer | undefined
  let engine: Engine | undefined
  const close = async (): Promise<void> => {
    stopping.abort()
    await engine?.stopped
    await server?.close()
    await audit?.log.close()
    await store.close()
  }
  try {
    const pki = await openPki(join(dataDir, 'pki'))
    const address = (): string => `${host}:${server?.port ?? 0}`
    const core = await assembleApiServer({
      store,
      pki,
      address,
      streams: () => engine?.nodes?.streams,
      usage: () => engine?.nodes?.usage,
      signal: stopping.signal,
      ...(audit && { auditor: audit.auditor }),
      ...(issuers && { issuers }),
      log,
    })
    server = await serveOrExplain({
      certificate: pki.serving.certificate,
      privateKey: pki.serving.key,
      authority: pki.authority,
      host,
      port: options.port ?? 0,
      ...core.front,
    })
    const url = `https://${address()}`
    const announced = core.announce({ host, port: server.port })
    engine = startEngine({
      clientAs: core.clientAs,
      pki,
      tokens: core.auth.tokens,
      policyWarnings: core.policyWarnings,
      dataDir,
      config,
      apiServer: { host, port: server.port },
      signal: stopping.signal,
      log,
    })
    const adminKubeconfig = await writeAdminKubeconfig(dataDir, url, pki)
    await Promise.all([announced, engine.ready])
    // Whoever waits for the cluster to be ready goes first.
    const later = setTimeout(() => core.furnish(), furnishMs)
    stopping.signal.addEventListener('abort', () => clearTimeout(later), { once: true })
    return { url, adminKubeconfig, clientAs: core.clientAs, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function serveOrExplain(options: ServerOptions): Promise<ApiServer> {
  try {
    return await serve(options)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause
    throw new UserError(
      'PORT_IN_USE',
      `port ${options.port} of ${options.host} is taken by another program`,
      {
        hint: 'name a free one with --port N, or leave it out to get any',
        cause,
      },
    )
  }
}
