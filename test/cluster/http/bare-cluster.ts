import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster, usualConfig } from '../../../src/cluster/index.ts'
import type { UserInfo } from '../../../src/cluster/registry/index.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** The text as the JSON object that it mostly is. */
  readonly body: Record<string, unknown>
}

export interface BareCluster {
  /** Sends a request as it is; by an administrator unless said otherwise. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  close(): Promise<void>
}

interface SendOptions {
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly user?: UserInfo
}

const admin = { name: 'admin', groups: ['system:masters'] }

/** A cluster without nodes, for tests of what its API answers to the letter. */
export async function openBareCluster(): Promise<BareCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arena-bare-'))
  const cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
  return {
    async send(method, path, { body, headers = {}, user = admin } = {}) {
      const response = await cluster.clientAs(user).raw({
        method,
        path,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const parts: Uint8Array[] = []
      for await (const part of response.body) parts.push(part)
      const text = Buffer.concat(parts).toString('utf8')
      const { status } = response
      return {
        status,
        headers: response.headers,
        text,
        get body(): Record<string, unknown> {
          return JSON.parse(text)
        },
      }
    },
    async close() {
      await cluster.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
