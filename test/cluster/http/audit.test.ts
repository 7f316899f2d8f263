import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createAuditor,
  type LogFile,
  openLogFile,
  parseAuditPolicy,
  usualPolicy,
} from '../../../src/cluster/http/audit/index.ts'
import { jsonAnswer } from '../../../src/cluster/http/message.ts'
import { parseTarget } from '../../../src/cluster/http/target.ts'

const bob = {
  name: 'system:serviceaccount:dev1:bob',
  groups: ['system:serviceaccounts', 'system:authenticated'],
}

describe('the audit log', () => {
  let directory: string
  let log: LogFile
  const faults: unknown[] = []

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arena-audit-'))
    log = openLogFile({
      path: join(directory, 'audit.log'),
      maxBytes: 4000,
      maxFiles: 2,
      onFault: (error) => faults.push(error),
    })
  })

  afterEach(async () => {
    await log.close()
    await rm(directory, { recursive: true, force: true })
    expect(faults).toEqual([])
  })

  async function lines(): Promise<Record<string, unknown>[]> {
    await log.close()
    const text = await readFile(join(directory, 'audit.log'), 'utf8')
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  function request(
    method: string,
    url: string,
    body = '',
  ): Parameters<ReturnType<typeof createAuditor>['begin']> {
    const target = parseTarget(method, url)
    const api = {
      method,
      url,
      headers: { 'user-agent': 'kubectl/v1' },
      user: bob,
      clientAddress: '127.0.0.1',
      readBody: () => Promise.resolve(body),
      signal: new AbortController().signal,
    }
    return [api, target.resource?.verb ?? method.toLowerCase(), target]
  }

  it('names what was made as Kubernetes does, from the object, as its path has no name', async () => {
    const auditor = createAuditor(usualPolicy, log)
    for (const metadata of [{ name: 'early' }, { labels: { name: 'no' }, name: 'late' }]) {
      const record = auditor.begin(...request('POST', '/api/v1/namespaces/dev1/pods'))
      record?.answered(jsonAnswer(201, JSON.stringify({ kind: 'Pod', metadata })))
    }
    const names = (await lines()).map(({ objectRef }) => Reflect.get(Object(objectRef), 'name'))
    expect(names).toEqual(['early', 'late'])
  })

  it('tells who changed what, when, and how it ended, in the form of Kubernetes', async () => {
    const record = createAuditor(usualPolicy, log).begin(
      ...request('DELETE', '/api/v1/namespaces/dev1/pods/p'),
    )
    record?.answered(jsonAnswer(200, '{}'))
    const [event] = await lines()
    expect(event).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      auditID: record?.id,
      stage: 'ResponseComplete',
      verb: 'delete',
      user: { username: bob.name },
      sourceIPs: ['127.0.0.1'],
      userAgent: 'kubectl/v1',
      objectRef: { resource: 'pods', namespace: 'dev1', name: 'p', apiVersion: 'v1' },
      responseStatus: { code: 200 },
    })
    expect(event?.['requestReceivedTimestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })

  it('holds what admission has said of a request, the first word on each matter', async () => {
    const [api, verb, target] = request('POST', '/api/v1/namespaces/dev1/pods')
    const record = createAuditor(usualPolicy, log).begin(api, verb, target)
    api.annotate?.('hook.example/why', 'because')
    api.annotate?.('hook.example/why', 'once more')
    record?.answered(jsonAnswer(201, '{}'))
    expect(await lines()).toMatchObject([{ annotations: { 'hook.example/why': 'because' } }])
  })

  it('leaves out reads and what the control plane does to itself', () => {
    const auditor = createAuditor(usualPolicy, log)
    expect(auditor.begin(...request('GET', '/api/v1/pods'))).toBeUndefined()
    const [api, verb, target] = request('POST', '/api/v1/namespaces/dev1/pods')
    const scheduler = { name: 'system:kube-scheduler', groups: ['system:authenticated'] }
    expect(auditor.begin({ ...api, user: scheduler }, verb, target)).toBeUndefined()
    expect(auditor.begin(api, verb, target)).toBeDefined()
  })

  it('writes down bodies where a policy wants them', async () => {
    const policy = await parseAuditPolicy(
      'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: RequestResponse\n  resources: [{group: "", resources: [configmaps]}]\n',
      'policy.yaml',
    )
    const auditor = createAuditor(policy, log)
    expect(auditor.begin(...request('POST', '/api/v1/namespaces/dev1/secrets'))).toBeUndefined()
    const record = auditor.begin(
      ...request('POST', '/api/v1/namespaces/dev1/configmaps', '{"data":{"a":"1"}}'),
    )
    await record?.api.readBody()
    record?.answered(jsonAnswer(201, '{"data":{"a":"1"},"metadata":{"uid":"u"}}'))
    expect(await lines()).toMatchObject([
      { requestObject: { data: { a: '1' } }, responseObject: { metadata: { uid: 'u' } } },
    ])
  })

  it('names every fault of a policy', async () => {
    const text = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Everything\n'
    await expect(parseAuditPolicy(text, 'policy.yaml')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('rules.0.level'),
    })
  })

  it('puts a grown file aside and keeps a bounded number of them', async () => {
    const auditor = createAuditor(usualPolicy, log)
    for (let round = 0; round < 30; round++) {
      auditor
        .begin(...request('DELETE', `/api/v1/namespaces/dev1/pods/p${round}`))
        ?.answered(jsonAnswer(200, '{}'))
      await log.close()
    }
    expect((await readdir(directory)).sort()).toEqual(['audit.log', 'audit.log.1', 'audit.log.2'])
    expect(JSON.stringify(await lines())).toContain('"p29"')
  })
})
