import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { createKubeClient, type KubeClient } from '../kube/index.ts'
import { writeAdminKubeconfig } from './admin-kubeconfig.ts'
import { admissionSteps } from './admission/index.ts'
import { createAuth, openPki } from './auth/index.ts'
import { bootstrap, serverUser } from './bootstrap.ts'
import type { ClusterConfig } from './config.ts'
import { documents } from './documents.ts'
import { createHandler, localTransport, serve } from './http/index.ts'
import {
  type Admitter,
  Catalog,
  createRegistry,
  type RegistryParts,
  readerOf,
  type UserInfo,
  writerOf,
} from './registry/index.ts'
import { resourceTable } from './registry/resources/table.ts'
import { startEngine } from './engine.ts'
import { namespaceFinalize } from './namespace-finalize.ts'
import { openLmdb, OrderedStore } from './storage/index.ts'
import type { KubeObject } from '../kube/index.ts'

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

/**
 * Starts the embedded cluster: store, API server, controllers, scheduler and nodes, in this process. Resolves when it is
 * ready for requests.
 *
 * @throws {UserError} `STORE_IN_USE`, `STORE_DAMAGED`, `STORE_UNWRITABLE`, `PORT_IN_USE`.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = resolve(options.dataDir)
  const store = new OrderedStore<KubeObject>(openLmdb(join(dataDir, 'store')))
  const stopping = new AbortController()
  try {
    const pki = await openPki(join(dataDir, 'pki'))
    const reader = readerOf(store)
    const writer = writerOf({ store })
    const auth = createAuth({ reader, tokenKey: pki.tokenKey })
    const admitters: Admitter[] = []
    const parts: RegistryParts = { store, admitters, now: Date.now, newUid: randomUUID }
    const registry = createRegistry(parts)
    const catalog = new Catalog({
      builtin: resourceTable,
      virtual: auth.virtualResources,
      subresources: [...auth.subresources, namespaceFinalize(registry)],
    })
    admitters.push(
      ...admissionSteps({
        reader,
        writer,
        now: Date.now,
        authorize: (user, question) =>
          auth.authorizer.authorize(
            question.path === undefined
              ? { ...question, user, group: question.group ?? '', resource: question.resource ?? '' }
              : { user, verb: question.verb, path: question.path },
          ),
      }),
      ...auth.admitters,
    )
    let address = host
    const handler = createHandler({
      catalog,
      registry,
      authorizer: auth.authorizer,
      impersonator: auth.impersonator,
      exists: (key) => store.latest(key) !== undefined,
      now: Date.now,
      documents: documents(auth.tokens),
      address: () => address,
      onFault: (error) => options.log(errorText(error)),
    })
    await bootstrap(catalog, registry)
    const clientAs = (user: UserInfo): KubeClient => createKubeClient(localTransport(handler, user))
    const server = await serveOrExplain(options, {
      certificate: pki.serving.certificate,
      privateKey: pki.serving.key,
      authority: pki.authority,
      host,
      port: options.port ?? 0,
      handler,
      authenticate: (socket, headers) =>
        auth.authenticator.authenticate(socket, headers.authorization as string | undefined),
      onFault: (error) => options.log(errorText(error)),
    })
    address = `${host}:${server.port}`
    const url = `https://${address}`
    const adminKubeconfig = await writeAdminKubeconfig(dataDir, url, pki)
    const engine = startEngine({
      clientAs,
      pki,
      tokens: auth.tokens,
      signal: stopping.signal,
      log: options.log,
    })
    return {
      url,
      adminKubeconfig,
      clientAs,
      async close() {
        stopping.abort()
        await engine.stopped
        await server.close()
        await store.close()
      },
    }
  } catch (error) {
    stopping.abort()
    await store.close()
    throw error
  }
}

async function serveOrExplain(
  options: ClusterOptions,
  serving: Parameters<typeof serve>[0],
): ReturnType<typeof serve> {
  try {
    return await serve(serving)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause
    throw new UserError('PORT_IN_USE', `port ${options.port ?? 0} of ${host} is taken by another program`, {
      hint: 'name a free one with --port N, or leave it out to get any',
      cause,
    })
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

export { serverUser }
