import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'

export interface Answer {
  readonly status: number
  /** The `Warning` headers, where the test asks for them. */
  readonly warning?: string
  readonly body: Record<string, unknown>
}

export interface ApiOfKinds {
  send(method: string, path: string, body?: object, options?: SendOptions): Promise<Answer>
  /** What a watch tells until it ends, line by line. */
  lines(path: string): Promise<string[]>
  close(): Promise<void>
}

interface SendOptions {
  /** `system:masters` when left out. */
  readonly user?: string
  readonly type?: string
  /** `Table` for what `kubectl get` prints. */
  readonly accept?: string
}

/** A cluster whose API the tests of kinds talk to; without nodes unless some are given. */
export async function startApi(nodes: typeof usualConfig.nodes = []): Promise<ApiOfKinds> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arena-kinds-'))
  const cluster: Cluster = await startCluster({
    dataDir,
    config: { ...usualConfig, nodes },
    log: () => undefined,
  })
  return {
    async send(method, path, body, options = {}) {
      const user = options.user
        ? { name: options.user, groups: [] }
        : { name: 'admin', groups: ['system:masters'] }
      const response = await cluster.clientAs(user).raw({
        method,
        path,
        headers: {
          'content-type': options.type ?? 'application/json',
          ...(options.accept && { accept: options.accept }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      const parts = await Readable.from(response.body).toArray()
      const answered = JSON.parse(Buffer.concat(parts).toString('utf8'))
      return { status: response.status, warning: response.headers['warning'] ?? '', body: answered }
    },
    async lines(path) {
      const admin = { name: 'admin', groups: ['system:masters'] }
      const response = await cluster.clientAs(admin).raw({ method: 'GET', path, headers: {} })
      const parts = await Readable.from(response.body).toArray()
      return Buffer.concat(parts).toString('utf8').split('\n').filter(Boolean)
    },
    async close() {
      await cluster.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Pods of the default namespace need its account, which may not have been made yet. */
export async function makeDefaultAccount(api: ApiOfKinds): Promise<void> {
  await api.send('POST', '/api/v1/namespaces/default/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
}

/** What a table of the objects at this path shows, in words. */
export async function tableOf(
  api: ApiOfKinds,
  path: string,
): Promise<{ columns: string[]; cells: unknown[] }> {
  const { body } = await api.send('GET', path, undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  })
  const { columnDefinitions, rows } = body as {
    columnDefinitions: { name: string }[]
    rows: { cells: unknown[] }[]
  }
  return { columns: columnDefinitions.map(({ name }) => name), cells: rows.map(({ cells }) => cells).flat() }
}

/** `Forbidden`, `Invalid` and so on say what is wrong in their message. */
export const messageOf = ({ body }: Answer): string => String(body['message'])

/** The faults of an invalid object, each as its field and what is wrong. */
export function causesOf({ body }: Answer): [field: string, message: string][] {
  const { causes } = body['details'] as { causes: { field: string; message: string }[] }
  return causes.map(({ field, message }) => [field, message])
}
