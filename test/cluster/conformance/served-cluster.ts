import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { vi } from 'vitest'
import { startCluster, usualConfig } from '../../../src/cluster/index.ts'

export interface ServedObject {
  readonly kind?: string
  readonly apiVersion?: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The text as the JSON object that it mostly is. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface WatchEvent {
  readonly type: string
  readonly object: ServedObject
}

export interface SendOptions {
  readonly body?: unknown
  /** `application/json` when left out. */
  readonly type?: string
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A cluster that is asked by HTTPS, as kubectl does, with an administrator's certificate. */
export interface ServedCluster {
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  /** The object or list at a path, which must be there. */
  read(path: string): Promise<ServedObject & { readonly items: readonly ServedObject[] }>
  /** What a watch tells, event by event; leaving the loop ends it. */
  watch(path: string): AsyncGenerator<WatchEvent, void>
  /** Makes a namespace in which pods can be created: its default account is there. */
  namespace(name: string): Promise<void>
  close(): Promise<void>
}

/** Starts a cluster; without nodes unless some are given. */
export async function serveCluster(nodes: typeof usualConfig.nodes = []): Promise<ServedCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arena-conformance-'))
  const cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes }, log: () => undefined })
  const kubeconfig = await readFile(cluster.adminKubeconfig, 'utf8')
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}"?: "?([A-Za-z0-9+/=]+)`).exec(kubeconfig)?.[1] ?? '', 'base64').toString()
  const agent = new Agent({
    keepAlive: true,
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  })

  async function open(method: string, path: string, options: SendOptions): Promise<IncomingMessage> {
    const { body, type = 'application/json', accept, headers } = options
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const sent = request(new URL(path, cluster.url), {
      method,
      agent,
      headers: {
        ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
        ...(accept && { accept }),
        ...headers,
      },
    })
    sent.end(text)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }

  const served: ServedCluster = {
    async send(method, path, options = {}) {
      const response = await open(method, path, options)
      const text = Buffer.concat(await response.toArray()).toString('utf8')
      const { statusCode: status = 0, headers } = response
      return { status, headers, text, body: text.startsWith('{') ? JSON.parse(text) : {} }
    },
    async read(path) {
      const { status, text } = await served.send('GET', path)
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`)
      return JSON.parse(text)
    },
    async *watch(path) {
      const response = await open('GET', path, {})
      try {
        for await (const line of createInterface({ input: response })) yield JSON.parse(line)
      } finally {
        response.destroy()
      }
    },
    async namespace(name) {
      await served.send('POST', '/api/v1/namespaces', { body: { metadata: { name } } })
      await eventually(() => served.read(`/api/v1/namespaces/${name}/serviceaccounts/default`))
    },
    async close() {
      agent.destroy()
      await cluster.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return served
}

export const mergePatch = { type: 'application/merge-patch+json' } as const
export const jsonPatch = { type: 'application/json-patch+json' } as const

/** Tries again until nothing is thrown, also on a machine that has much else to do; what was given at last. */
export function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  return vi.waitFor(attempt, 20_000)
}
