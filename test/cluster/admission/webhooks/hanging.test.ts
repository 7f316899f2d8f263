import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, request as send } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPki } from '../../../../src/cluster/auth/index.ts'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'
import { certificatesFor, configuration, group, startWebhook, webhook, type WebhookServer } from './server.ts'

const maps = '/api/v1/namespaces/default/configmaps'
const name = 'slow.hooks.example'
const patiently = { timeout: 20_000 }

interface Answered {
  readonly status: number
  readonly warnings: string | undefined
  readonly body: Record<string, unknown>
}

type Send = (method: string, path: string, body?: object) => Promise<Answered>

describe('webhooks over the network', () => {
  let dataDir: string
  let cluster: Cluster
  let hook: WebhookServer
  const agents: Agent[] = []
  let admin: Send
  let tom: Send
  let bob: Send

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'arena-hooks-'))
    cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
    const pki = await openPki(join(dataDir, 'pki'))
    const clientOf = (certificate: { certificate: string; key: string }): Send => {
      const { certificate: cert, key } = certificate
      const agent = new Agent({ keepAlive: true, maxSockets: 200, ca: pki.authority, cert, key })
      agents.push(agent)
      return async (method, path, body) => {
        const headers = { 'content-type': 'application/json' }
        const asked = send(cluster.url + path, { method, headers, agent })
        asked.end(body && JSON.stringify(body))
        const [answer] = (await once(asked, 'response')) as [IncomingMessage]
        let text = ''
        for await (const part of answer) text += String(part)
        const { statusCode = 0, headers: got } = answer
        return { status: statusCode, warnings: got['warning'] as string | undefined, body: JSON.parse(text) }
      }
    }
    admin = clientOf(pki.admin)
    const user = (one: string) => pki.issueClientCertificate({ user: one })
    tom = clientOf(await user('tom'))
    bob = clientOf(await user('bob'))
    await admin('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'both' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: ['tom', 'bob'].map((one) => ({
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'User',
        name: one,
      })),
    })
    const certificates = await certificatesFor()
    hook = await startWebhook(certificates)
    const place = { url: hook.url, caBundle: certificates.caBundle }
    const conditions = [{ name: 'tom', expression: "request.userInfo.username == 'tom'" }]
    await admin(
      'POST',
      `${group}/validatingwebhookconfigurations`,
      configuration(
        'Validating',
        'slow',
        webhook(name, place, { matchConditions: conditions, timeoutSeconds: 30 }),
      ),
    )
  })
  afterAll(async () => {
    for (const agent of agents) agent.destroy()
    await hook.close()
    await cluster.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('pass warnings on as headers and annotations into the audit log', async () => {
    hook.answer = () => ({
      allowed: true,
      warnings: ['mind the gap', 'Achtung: größer als 日本'],
      auditAnnotations: { seen: 'yes' },
    })
    const answer = await tom('POST', maps, { metadata: { name: 'warned' } })
    expect(answer.status).toBe(201)
    expect(Buffer.from(answer.warnings ?? '', 'latin1').toString('utf8')).toBe(
      '299 - "mind the gap", 299 - "Achtung: größer als 日本"',
    )
    await expect
      .poll(() => readFile(join(dataDir, 'audit.log'), 'utf8'), patiently)
      .toContain(`"annotations":{"${name}/seen":"yes"}`)
  })

  it('that hang hold nobody up for longer than they want to wait', async () => {
    hook.raw = (response) => void response.once('close', () => undefined)
    const answer = await tom('POST', `${maps}?timeout=200ms`, { metadata: { name: 'impatient' } })
    expect(answer).toMatchObject({
      status: 500,
      body: { message: expect.stringMatching(/\?timeout=30s": context deadline exceeded$/) },
    })
  })

  it('that hang hold up those who wait for them and nobody else', async () => {
    const release: (() => void)[] = []
    hook.raw = (response) => void release.push(() => response.destroy())
    const asked = Array.from({ length: 150 }, (_one, index) =>
      tom('POST', maps, { metadata: { name: `tom-${index}` } }),
    )
    const waiting = Promise.all(asked)
    // As many as one user may have under way hang; the others of theirs wait for a turn.
    await expect.poll(() => release.length, patiently).toBe(48)
    const began = performance.now()
    for (let index = 0; index < 20; index++)
      expect((await bob('POST', maps, { metadata: { name: `bob-${index}` } })).status).toBe(201)
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(release).toHaveLength(48)
    hook.raw = (response) => void response.destroy()
    for (const go of release) go()
    const answers = await waiting
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([500]))
  }, 60_000)
})
