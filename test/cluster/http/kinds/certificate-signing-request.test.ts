import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'
import { isOver } from '../../../../src/cluster/controllers/certificate-cleaner.ts'
import { type CertificateSigningRequest, kinds, type Persisted } from '../../../../src/kube/index.ts'
import { type Answer, causesOf, messageOf } from './cluster.ts'

const run = promisify(execFile)
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const clientSigner = 'kubernetes.io/kube-apiserver-client'
const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

let cluster: Cluster
let directory: string
let hasKubectl = false
const pems = new Map<string, string>()

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-csr-'))
  cluster = await startCluster({
    dataDir: join(directory, 'data'),
    config: { ...usualConfig, nodes: [] },
    log: () => undefined,
  })
  hasKubectl = await run('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  )
  await openssl('anna', '/O=dev/O=ops/CN=anna')
  await openssl('rsa', '/CN=rsa', 'rsa:2048')
  await openssl('master', '/O=system:masters/CN=anna')
  await openssl('node', '/O=system:nodes/CN=system:node:n1')
  await openssl('serving', '/O=system:nodes/CN=system:node:n1', undefined, 'IP:127.0.0.1,DNS:n1')
}, 60_000)
afterAll(async () => {
  await cluster.close()
  await rm(directory, { recursive: true, force: true })
})

/** A request and its key as people make them. */
async function openssl(name: string, subject: string, kind?: string, names?: string): Promise<void> {
  const [key, request] = [join(directory, `${name}.key`), join(directory, `${name}.csr`)]
  const algorithm = kind ? [kind] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  await run('openssl', [
    'req',
    '-new',
    '-nodes',
    '-newkey',
    ...algorithm,
    '-keyout',
    key,
    '-out',
    request,
    '-subj',
    subject,
    ...(names ? ['-addext', `subjectAltName=${names}`] : []),
  ])
  pems.set(name, await readFile(request, 'utf8'))
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function csr(name: string, spec: object = {}, from = 'anna'): object {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: base64(pems.get(from) ?? ''),
      signerName: clientSigner,
      usages: ['client auth'],
      ...spec,
    },
  }
}

async function send(
  method: string,
  path: string,
  body?: object,
  user: Parameters<Cluster['clientAs']>[0] = admin,
): Promise<Answer> {
  const response = await cluster.clientAs(user).raw({
    method,
    path,
    headers: {
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body) text += decoder.decode(chunk as Uint8Array, { stream: true })
  return { status: response.status, body: JSON.parse(text) }
}

const condition = (type: string, rest: object = {}): object => ({
  type,
  status: 'True',
  reason: 'Because',
  message: 'said so',
  ...rest,
})

async function decide(name: string, conditions: object[], user = admin): Promise<Answer> {
  const { body } = await send('GET', `${requests}/${name}`)
  return send('PUT', `${requests}/${name}/approval`, { ...body, status: { conditions } }, user)
}

/** The request as it is when the signer has done its work. */
async function settled(name: string): Promise<Persisted<CertificateSigningRequest>> {
  const client = cluster.clientAs(admin)
  const signal = AbortSignal.timeout(20_000)
  for (;;) {
    const found = await client.get(kinds.certificateSigningRequests, { name })
    const isDone = (one: CertificateSigningRequest): boolean =>
      one.status?.certificate !== undefined ||
      (one.status?.conditions?.some(({ type }) => type === 'Failed') ?? false)
    if (isDone(found)) return found
    const changes = client.watch(kinds.certificateSigningRequests, {
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: found.metadata.resourceVersion,
      signal,
    })
    for await (const change of changes)
      if ('object' in change && isDone(change.object as CertificateSigningRequest))
        return change.object as Persisted<CertificateSigningRequest>
    signal.throwIfAborted()
  }
}

test('the server says who asks, whatever the request says, and nobody changes it later', async () => {
  const anna = {
    name: 'anna',
    uid: '7',
    groups: ['dev', 'system:authenticated', 'system:masters'],
    extra: { team: ['a', 'b'] },
  }
  const made = await send(
    'POST',
    requests,
    {
      ...csr('who', { username: 'root', groups: ['x'], extra: { a: ['b'] } }),
      status: { certificate: 'eA==' },
    },
    anna,
  )
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    spec: { username: 'anna', uid: '7', groups: anna.groups, extra: anna.extra },
    status: {},
  })
  expect(made.body['status']).toEqual({})
  const changed = await send('PATCH', `${requests}/who`, {
    metadata: { labels: { a: 'b' } },
    spec: { username: 'root', usages: ['server auth'] },
    status: { conditions: [condition('Approved')] },
  })
  expect(changed.body).toMatchObject({
    metadata: { labels: { a: 'b' } },
    spec: { username: 'anna', usages: ['client auth'] },
  })
  expect(changed.body['status']).toEqual({})
})

test('what is no signed request, or asks for what there is not, is invalid', async () => {
  const tampered = (pems.get('anna') ?? '').split('\n')
  const bytes = Buffer.from(tampered.slice(1, -2).join(''), 'base64')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  const bad = await send('POST', requests, {
    ...csr('bad', {
      request: base64('hello'),
      usages: ['client auth', 'cooking', 'client auth'],
      signerName: 'nowhere',
      expirationSeconds: 599,
    }),
  })
  expect(bad.status).toBe(422)
  expect(causesOf(bad)).toEqual([
    ['spec.request', 'Invalid value: "aGVsbG8=": PEM block type must be CERTIFICATE REQUEST'],
    [
      'spec.usages[1]',
      expect.stringMatching(
        /^Unsupported value: "cooking": supported values: "any", "cert sign", .*"timestamping"$/,
      ),
    ],
    ['spec.usages[2]', 'Duplicate value: "client auth"'],
    [
      'spec.signerName',
      `Invalid value: "nowhere": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    ],
    [
      'spec.expirationSeconds',
      'Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  ])
  const unsigned = await send('POST', requests, csr('forged', { request: base64(forged), usages: [] }))
  expect(causesOf(unsigned)).toEqual([
    ['spec.request', expect.stringMatching(/: x509: ECDSA verification failure$/)],
    ['spec.usages', 'Required value'],
  ])
  const legacy = await send('POST', requests, csr('old', { signerName: 'kubernetes.io/legacy-unknown' }))
  expect(causesOf(legacy)).toEqual([
    [
      'spec.signerName',
      'Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    ],
  ])
  const short = await send('POST', requests, csr('short', { signerName: 'example/A_b' }))
  expect(causesOf(short).map(([, text]) => text)).toEqual([
    'Invalid value: "example": should be a domain with at least two segments separated by dots',
    expect.stringMatching(/^Invalid value: "A_b": validating label "A_b": a lowercase RFC 1123 subdomain/),
  ])
  const master = await send('POST', requests, csr('master', {}, 'master'))
  expect(master.status).toBe(403)
  expect(messageOf(master)).toBe(
    'certificatesigningrequests.certificates.k8s.io "master" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  )
})

test('a decision needs the right to approve for the signer, is made once and never taken back', async () => {
  await send('POST', requests, csr('decided', { signerName: 'example.com/own' }))
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'approver' },
    rules: [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: [
          'certificatesigningrequests',
          'certificatesigningrequests/approval',
          'certificatesigningrequests/status',
        ],
        verbs: ['*'],
      },
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        verbs: ['approve'],
        resourceNames: ['example.com/*'],
      },
    ],
  })
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'approver' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'otto' }],
  })
  const otto = { name: 'otto', groups: ['system:authenticated'] }
  await send('POST', requests, csr('others'))
  const refused = await decide('others', [condition('Approved')], otto)
  expect(messageOf(refused)).toBe(
    'certificatesigningrequests.certificates.k8s.io "others" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  )
  expect(causesOf(await decide('decided', [condition('Approved', { status: 'False' })], otto))).toEqual([
    ['status.conditions[0].status', 'Unsupported value: "False": supported values: "True"'],
  ])
  const approved = await decide('decided', [condition('Approved')], otto)
  expect(approved.body['status']).toEqual({
    conditions: [
      {
        ...condition('Approved'),
        lastUpdateTime: expect.any(String),
        lastTransitionTime: expect.any(String),
      },
    ],
  })
  expect(causesOf(await decide('decided', [condition('Approved'), condition('Denied')], otto))).toEqual([
    [
      'status.conditions[1].type',
      'Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ],
  ])
  expect(causesOf(await decide('decided', [], otto))).toEqual([
    ['status.conditions', 'Forbidden: updates may not remove a condition of type "Approved"'],
  ])
  // The status is not the place to decide, and issuing takes a right of its own.
  const status = `${requests}/others/status`
  const sneaky = await send('PATCH', status, { status: { conditions: [condition('Approved')] } })
  expect(causesOf(sneaky)).toEqual([
    ['status.conditions', 'Forbidden: updates may not add a condition of type "Approved"'],
  ])
  const { body } = await send('GET', `${requests}/decided`)
  const pem = base64(await readFile(join(directory, 'data', 'pki', 'ca.crt'), 'utf8'))
  const issue = (certificate: string, user = admin): Promise<Answer> =>
    send(
      'PATCH',
      `${requests}/decided/status`,
      { status: { certificate, conditions: (body['status'] as { conditions: object[] }).conditions } },
      user,
    )
  expect(messageOf(await issue(pem, otto))).toContain(
    'user not permitted to sign requests with signerName "example.com/own"',
  )
  expect(causesOf(await issue(base64('x')))).toEqual([
    [
      'status.certificate',
      'Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ],
  ])
  expect((await issue(pem)).status).toBe(200)
  expect(causesOf(await issue(''))).toEqual([
    ['status.certificate', 'Forbidden: updates may not modify existing certificate content'],
  ])
})

test('nothing is issued before the approval, and then for as long as was asked', async () => {
  await send(
    'POST',
    requests,
    csr('brief', { expirationSeconds: 7200, usages: ['digital signature', 'client auth'] }, 'rsa'),
  )
  const table = await cluster.clientAs(admin).raw({
    method: 'GET',
    path: `${requests}?fieldSelector=spec.signerName=${encodeURIComponent(clientSigner)}`,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of table.body) text += decoder.decode(chunk as Uint8Array, { stream: true })
  const { rows } = JSON.parse(text) as { rows: { cells: unknown[] }[] }
  expect(rows.map(({ cells }) => cells)).toContainEqual([
    'brief',
    expect.any(String),
    clientSigner,
    'admin',
    '120m',
    'Pending',
  ])
  await decide('brief', [condition('Approved')])
  const { status } = await settled('brief')
  const certificate = new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
  expect(certificate.subject).toBe('CN=rsa')
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  const lifetimeMs = Date.parse(certificate.validTo) - Date.now()
  expect(lifetimeMs).toBeGreaterThan(7_000_000)
  expect(lifetimeMs).toBeLessThanOrEqual(7_200_000)
})

test.each([
  [
    'kubernetes.io/kube-apiserver-client',
    'anna',
    ['server auth'],
    'invalid usage for client certificate: server auth',
  ],
  [
    'kubernetes.io/kube-apiserver-client',
    'anna',
    ['digital signature'],
    'missing required usage for client certificate: client auth',
  ],
  [
    'kubernetes.io/kube-apiserver-client-kubelet',
    'anna',
    ['client auth'],
    'subject organization is not system:nodes',
  ],
  [
    'kubernetes.io/kube-apiserver-client-kubelet',
    'serving',
    ['client auth', 'digital signature'],
    'DNS subjectAltNames are not allowed',
  ],
  [
    'kubernetes.io/kube-apiserver-client-kubelet',
    'node',
    ['server auth'],
    'usages did not match [client auth digital signature key encipherment]',
  ],
  [
    'kubernetes.io/kubelet-serving',
    'node',
    ['server auth', 'digital signature'],
    'DNS or IP subjectAltName is required',
  ],
])('signer %s fails a request of %s for %j', async (signerName, from, usages, message) => {
  const name = `failing-${signerName.split('/')[1]}-${from}-${usages.join('-').replaceAll(' ', '')}`
  await send('POST', requests, csr(name, { signerName, usages }, from))
  await decide(name, [condition('Approved')])
  const { status } = await settled(name)
  expect(status?.certificate).toBeUndefined()
  expect(status?.conditions).toEqual([
    expect.objectContaining({ type: 'Approved' }),
    expect.objectContaining({ type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message }),
  ])
})

test.each([
  ['kubernetes.io/kube-apiserver-client-kubelet', 'node', 'client auth', undefined],
  ['kubernetes.io/kubelet-serving', 'serving', 'server auth', 'IP Address:127.0.0.1, DNS:n1'],
])('signer %s issues what a node needs', async (signerName, from, role, names) => {
  await send('POST', requests, csr(`for-${from}`, { signerName, usages: ['digital signature', role] }, from))
  await decide(`for-${from}`, [condition('Approved')])
  const { status } = await settled(`for-${from}`)
  const certificate = new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:n1')
  expect(certificate.subjectAltName).toBe(names)
})

test('requests go an hour after the decision, a day without one, or when the certificate has ended', () => {
  const made = '2026-01-01T00:00:00Z'
  const after = (hours: number): number => Date.parse(made) + hours * 3_600_000
  const request = (type?: string): Persisted<CertificateSigningRequest> =>
    ({
      metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: made },
      spec: { request: '', signerName: '' },
      status: type ? { conditions: [{ type, status: 'True', lastUpdateTime: made }] } : {},
    }) as unknown as Persisted<CertificateSigningRequest>
  expect([isOver(request(), after(23.9)), isOver(request(), after(24.1))]).toEqual([false, true])
  for (const type of ['Approved', 'Denied', 'Failed'])
    expect([isOver(request(type), after(0.9)), isOver(request(type), after(1.1))]).toEqual([false, true])
})

describe('with kubectl', () => {
  const kubectl = async (...words: string[]): Promise<string> => {
    const { stdout } = await run('kubectl', ['--kubeconfig', cluster.adminKubeconfig, ...words])
    return stdout
  }

  test('approve issues a certificate that logs its holder in; deny does not', async ({ skip }) => {
    if (!hasKubectl) skip('kubectl is not here')
    const file = join(directory, 'anna.json')
    await writeFile(file, JSON.stringify(csr('anna')))
    await kubectl('create', '-f', file)
    expect(await kubectl('certificate', 'approve', 'anna')).toContain('approved')
    const { status } = await settled('anna')
    expect(await kubectl('get', 'csr', 'anna')).toMatch(/anna .*kubernetes-admin .*<none> .*Approved,Issued/)
    const certificate = join(directory, 'anna.crt')
    await writeFile(certificate, Buffer.from(status?.certificate ?? '', 'base64'))
    const config = join(directory, 'anna.kubeconfig')
    const authority = join(directory, 'data', 'pki', 'ca.crt')
    await access(authority)
    const as = async (...words: string[]): Promise<string> =>
      (await run('kubectl', ['--kubeconfig', config, ...words])).stdout
    await as('config', 'set-cluster', 'c', `--server=${cluster.url}`, `--certificate-authority=${authority}`)
    await as(
      'config',
      'set-credentials',
      'a',
      `--client-certificate=${certificate}`,
      `--client-key=${join(directory, 'anna.key')}`,
    )
    await as('config', 'set-context', 'x', '--cluster=c', '--user=a')
    await as('config', 'use-context', 'x')
    const who = JSON.parse(await as('auth', 'whoami', '-o', 'json')) as { status: { userInfo: object } }
    expect(who.status.userInfo).toMatchObject({
      username: 'anna',
      groups: ['dev', 'ops', 'system:authenticated'],
    })
    await writeFile(file, JSON.stringify(csr('denied')))
    await kubectl('create', '-f', file)
    expect(await kubectl('certificate', 'deny', 'denied')).toContain('denied')
    expect(await kubectl('get', 'csr', 'denied')).toContain('Denied')
    await expect(kubectl('certificate', 'approve', 'denied')).rejects.toThrow(/already Denied/)
  }, 60_000)
})
