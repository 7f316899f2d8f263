import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ApiOfKinds, messageOf, startApi } from '../../http/kinds/cluster.ts'
import {
  type Certificates,
  certificatesFor,
  configuration,
  group,
  startWebhook,
  webhook,
  type WebhookServer,
} from './server.ts'

const configurations = `${group}/validatingwebhookconfigurations`
const maps = '/api/v1/namespaces/team/configmaps'
const name = 'check.hooks.example'

describe('validating webhooks', () => {
  let api: ApiOfKinds
  let certificates: Certificates
  let hook: WebhookServer
  let made = 0

  beforeAll(async () => {
    api = await startApi()
    certificates = await certificatesFor('hook.team.svc')
    await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'team', labels: { guarded: 'yes' } } })
  })
  afterAll(() => api.close())
  beforeEach(async () => {
    hook = await startWebhook(certificates)
  })
  afterEach(async () => {
    await api.send('DELETE', configurations)
    await hook.close()
  })

  const here = (path = ''): object => ({ url: hook.url + path, caBundle: certificates.caBundle })
  const register = async (more: object = {}, place: object = here()): Promise<Answer> => {
    const answer = await api.send(
      'POST',
      configurations,
      configuration('Validating', 'c', webhook(name, place, more)),
    )
    expect(answer.status).toBe(201)
    return answer
  }
  const create = (metadata: object = {}, query = ''): Promise<Answer> =>
    api.send('POST', `${maps}${query}`, { metadata: { name: `m${++made}`, ...metadata }, data: { a: '1' } })

  it('are told everything about a request', async () => {
    await api.send('POST', maps, { metadata: { name: 'told' }, data: { a: '1' } })
    await register({}, here('/check'))
    const answer = await api.send(
      'PATCH',
      `${maps}/told?fieldManager=me`,
      { data: { a: '2' } },
      {
        type: 'application/merge-patch+json',
      },
    )
    expect(answer.status).toBe(200)
    expect(hook.paths).toEqual(['/check?timeout=10s'])
    const configMaps = { group: '', version: 'v1', resource: 'configmaps' }
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' }
    expect(hook.reviews).toEqual([
      {
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        request: {
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          kind,
          resource: configMaps,
          requestKind: kind,
          requestResource: configMaps,
          name: 'told',
          namespace: 'team',
          operation: 'UPDATE',
          userInfo: { username: 'admin', groups: expect.arrayContaining(['system:masters']) },
          object: expect.objectContaining({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '2' } }),
          oldObject: expect.objectContaining({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1' } }),
          dryRun: false,
          options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
        },
      },
    ])
    await api.send('DELETE', `${maps}/told?dryRun=All`, { propagationPolicy: 'Background' })
    expect(hook.reviews[1]?.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { metadata: { name: 'told' } },
      dryRun: true,
      options: { kind: 'DeleteOptions', propagationPolicy: 'Background', dryRun: ['All'] },
    })
    expect(hook.connections).toBe(1)
  })

  it('refuse with the code, the reason and the words that they give', async () => {
    await register()
    hook.answer = () => ({ allowed: false, status: { code: 409, reason: 'Conflict', message: 'no room' } })
    expect(await create()).toMatchObject({
      status: 409,
      body: {
        status: 'Failure',
        reason: 'Conflict',
        code: 409,
        message: `admission webhook "${name}" denied the request: no room`,
      },
    })
    hook.answer = () => ({ allowed: false, status: { status: 'Success', code: 200, reason: 'Because' } })
    expect(await create()).toMatchObject({
      status: 400,
      body: { status: 'Failure', message: `admission webhook "${name}" denied the request: Because` },
    })
    hook.answer = () => ({ allowed: false })
    expect(messageOf(await create())).toBe(
      `admission webhook "${name}" denied the request without explanation`,
    )
  })

  it('stop what they should see when they cannot be asked, unless they are to be ignored', async () => {
    const nowhere = { url: 'https://127.0.0.1:1/x', caBundle: certificates.caBundle }
    await register({}, nowhere)
    const message = `failed calling webhook "${name}": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused`
    expect(await create()).toMatchObject({
      status: 500,
      body: {
        reason: 'InternalError',
        message: `Internal error occurred: ${message}`,
        details: { causes: [{ message }] },
      },
    })
    await api.send('DELETE', configurations)
    await register({ failurePolicy: 'Ignore' }, nowhere)
    expect((await create()).status).toBe(201)
  })

  it('have the time that is theirs and no more', async () => {
    await register({ timeoutSeconds: 1 })
    hook.answer = () => undefined
    expect(messageOf(await create())).toBe(
      `Internal error occurred: failed calling webhook "${name}": failed to call webhook: Post "${hook.url}/?timeout=1s": context deadline exceeded`,
    )
  })

  it('must prove who they are', async () => {
    const others = await certificatesFor('other.example')
    await register({}, { url: hook.url, caBundle: others.caBundle })
    expect(messageOf(await create())).toMatch(/x509: certificate signed by unknown authority$/)
    await api.send('DELETE', configurations)
    await register({}, { url: hook.url.replace('127.0.0.1', '127.0.0.2'), caBundle: certificates.caBundle })
    expect(messageOf(await create())).toMatch(/connection refused$/)
    await api.send('DELETE', configurations)
    const elsewhere = await startWebhook(certificates, undefined, '127.0.0.3')
    try {
      await register({}, { url: elsewhere.url, caBundle: certificates.caBundle })
      expect(messageOf(await create())).toMatch(/x509: certificate is valid for .*, not 127\.0\.0\.3$/)
    } finally {
      await elsewhere.close()
    }
  })

  it.each<[string, object | string, string | RegExp]>([
    [
      'no JSON',
      'hello',
      /failed to call webhook: couldn't get version\/kind; json parse error: invalid character 'h'/,
    ],
    ['nothing', '', /failed to call webhook: 0-length response with status code: 200/],
    ['another kind', { kind: 'Pod', apiVersion: 'v1' }, 'no kind "Pod" is registered for version "v1"'],
    ['no type', { response: { uid: '' } }, /expected response\.uid="[0-9a-f-]+", got ""$/],
    [
      'no response',
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' },
      'webhook response was absent',
    ],
    [
      'another version',
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1beta1', response: { allowed: true } },
      'converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
    ],
    [
      'a wrong type',
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { allowed: 'yes' } },
      'json: cannot unmarshal string into Go struct field Review.response.allowed of type bool',
    ],
    [
      'another request',
      { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid: 'x', allowed: true } },
      /received invalid webhook response: expected response\.uid="[0-9a-f-]+", got "x"$/,
    ],
  ])('are not believed when they answer with %s', async (_what, body, why) => {
    await register()
    hook.raw = (response) => response.end(typeof body === 'string' ? body : JSON.stringify(body))
    const answer = await create()
    expect(answer.status).toBe(500)
    const message = messageOf(answer)
    if (typeof why === 'string') expect(message.endsWith(why), message).toBe(true)
    else expect(message).toMatch(why)
  })

  it('are not followed to another place, and errors are told as they are', async () => {
    await register()
    hook.raw = (response) => response.writeHead(302, { location: `${hook.url}/other` }).end()
    expect(messageOf(await create())).toMatch(/the server responded with the status code 302/)
    expect(hook.paths).toEqual(['/?timeout=10s'])
    hook.raw = (response) => response.writeHead(500).end('boom')
    expect(messageOf(await create())).toMatch(/an error on the server \("boom"\) has prevented the request/)
    hook.raw = (response) => response.writeHead(404).end()
    expect(messageOf(await create())).toMatch(/the server could not find the requested resource$/)
    hook.raw = (response) => void response.destroy()
    expect(messageOf(await create())).toMatch(/: EOF$/)
    hook.raw = (response) => response.end(Buffer.alloc(9 * 1024 * 1024, 32))
    expect(messageOf(await create())).toMatch(/the answer is longer than 8388608 bytes$/)
  })

  it('do not change what they look at', async () => {
    await register()
    hook.answer = () => ({ allowed: true, patch: Buffer.from('[]').toString('base64') })
    expect(messageOf(await create())).toMatch(/validating webhook may not return response\.patch$/)
    hook.answer = () => ({ allowed: true, patchType: 'JSONPatch' })
    expect(messageOf(await create())).toMatch(/validating webhook may not return response\.patchType$/)
  })

  it('are asked all at once, and all have their say in warnings', async () => {
    let waiting: (() => void)[] = []
    const both = [webhook(name, here('/a')), webhook('other.hooks.example', here('/b'))]
    await api.send('POST', configurations, configuration('Validating', 'both', ...both))
    hook.raw = (response) => {
      const { uid } = hook.reviews.at(-1)?.request ?? { uid: '' }
      waiting.push(() =>
        response.end(
          JSON.stringify({
            kind: 'AdmissionReview',
            apiVersion: 'admission.k8s.io/v1',
            response: { uid, allowed: true },
          }),
        ),
      )
      if (waiting.length < 2) return
      for (const go of waiting) go()
      waiting = []
    }
    expect((await create()).status).toBe(201)
    expect(hook.paths.map((path) => path.slice(0, 2)).sort()).toEqual(['/a', '/b'])
  })

  it('see what their rules, selectors and conditions take in', async () => {
    await register({
      objectSelector: { matchLabels: { seen: 'yes' } },
      namespaceSelector: { matchLabels: { guarded: 'yes' } },
      matchConditions: [{ name: 'not-mine', expression: "request.userInfo.username != 'tom'" }],
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['*'],
          operations: ['CREATE'],
          resources: ['*'],
          scope: 'Namespaced',
        },
      ],
    })
    hook.answer = () => ({ allowed: false })
    expect((await create()).status).toBe(201)
    expect((await create({ labels: { seen: 'yes' } })).status).toBe(400)
    await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'free', labels: { seen: 'yes' } } })
    const elsewhere = { metadata: { name: 'm', labels: { seen: 'yes' } } }
    expect((await api.send('POST', '/api/v1/namespaces/free/configmaps', elsewhere)).status).toBe(201)
    expect(hook.reviews).toHaveLength(1)
  })

  it('stop a request whose conditions cannot be evaluated, unless they are to be ignored', async () => {
    const matchConditions = [{ name: 'wrong', expression: "object.data.missing == 'x'" }]
    await register({ matchConditions })
    const refused = await create({ name: 'unclear' })
    expect(refused.status).toBe(403)
    expect(messageOf(refused)).toMatch(/configmaps .* is forbidden: expression 'object\.data\.missing/)
    await api.send('DELETE', configurations)
    await register({ matchConditions, failurePolicy: 'Ignore' })
    expect((await create()).status).toBe(201)
    expect(hook.reviews).toEqual([])
  })

  it('see an eviction as what it is', async () => {
    await api.send('POST', '/api/v1/namespaces/team/serviceaccounts', { metadata: { name: 'default' } })
    const pods = '/api/v1/namespaces/team/pods'
    const spec = { containers: [{ name: 'm', image: 'i' }] }
    expect((await api.send('POST', pods, { metadata: { name: 'leaving' }, spec })).status).toBe(201)
    const resources = ['pods', 'pods/eviction']
    await register({ rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources }] })
    hook.answer = () => ({ allowed: false, status: { message: 'not now' } })
    const evict = (): Promise<Answer> =>
      api.send('POST', `${pods}/leaving/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'leaving' },
      })
    expect(messageOf(await evict())).toContain('denied the request: not now')
    expect((await api.send('GET', `${pods}/leaving`)).status).toBe(200)
    expect(hook.reviews[0]?.request).toMatchObject({
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      subResource: 'eviction',
      operation: 'CREATE',
      name: 'leaving',
      object: { kind: 'Eviction', apiVersion: 'policy/v1' },
    })
    hook.answer = ({ operation }) => ({ allowed: operation === 'CREATE' })
    expect((await evict()).status).toBe(201)
    expect((await api.send('GET', `${pods}/leaving`)).status).toBe(404)
  })

  it('see a binding as what it is', async () => {
    await api.send('POST', '/api/v1/namespaces/team/serviceaccounts', { metadata: { name: 'default' } })
    const pods = '/api/v1/namespaces/team/pods'
    const spec = { schedulerName: 'mine', containers: [{ name: 'm', image: 'i' }] }
    expect((await api.send('POST', pods, { metadata: { name: 'bound' }, spec })).status).toBe(201)
    const resources = ['pods', 'pods/binding']
    await register({ rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources }] })
    hook.answer = () => ({ allowed: false, status: { message: 'not there' } })
    const bind = (): Promise<Answer> =>
      api.send('POST', `${pods}/bound/binding`, {
        metadata: { name: 'bound' },
        target: { kind: 'Node', name: 'n' },
      })
    expect(messageOf(await bind())).toContain('denied the request: not there')
    expect(hook.reviews.map(({ request }) => request)).toMatchObject([
      {
        kind: { group: '', version: 'v1', kind: 'Binding' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        subResource: 'binding',
        operation: 'CREATE',
        name: 'bound',
        object: { kind: 'Binding', apiVersion: 'v1', target: { kind: 'Node', name: 'n' } },
      },
    ])
    hook.answer = ({ operation }) => ({ allowed: operation === 'CREATE' })
    expect((await bind()).status).toBe(201)
    expect((await api.send('GET', `${pods}/bound`)).body['spec']).toMatchObject({ nodeName: 'n' })
  })

  it('never see webhook configurations, so that they can be mended', async () => {
    const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }
    await register({ rules: [all] })
    hook.answer = () => ({ allowed: false })
    expect((await create()).status).toBe(400)
    expect((await api.send('DELETE', `${configurations}/c`)).status).toBe(200)
    expect((await create()).status).toBe(201)
  })

  it('are reached by their service, under its name', async () => {
    const inside = await startWebhook(certificates, undefined, '127.64.77.1')
    try {
      const service = { namespace: 'team', name: 'hook', path: '/check' }
      const place = { service, caBundle: certificates.caBundle }
      await register({}, place)
      const post = 'Post "https://hook.team.svc:443/check?timeout=10s": '
      expect(messageOf(await create())).toContain(`${post}service "hook" not found`)
      await api.send('POST', '/api/v1/namespaces/team/services', {
        metadata: { name: 'hook' },
        spec: { ports: [{ name: 'https', port: 443 }] },
      })
      expect(messageOf(await create())).toContain(`${post}no endpoints available for service "hook"`)
      await api.send('POST', '/apis/discovery.k8s.io/v1/namespaces/team/endpointslices', {
        metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
        addressType: 'IPv4',
        ports: [{ name: 'https', port: inside.port, protocol: 'TCP' }],
        endpoints: [{ addresses: ['127.64.77.1'], conditions: { ready: true } }],
      })
      expect((await create()).status).toBe(201)
      expect(inside.paths).toEqual(['/check?timeout=10s'])
    } finally {
      await inside.close()
    }
  })

  it('go on after their other side has closed a connection that was kept', async () => {
    await register()
    expect((await create()).status).toBe(201)
    hook.drop()
    expect((await create()).status).toBe(201)
    expect(hook.connections).toBe(2)
  })

  it('speak the elder version with those who know no other', async () => {
    await register({ admissionReviewVersions: ['v0', 'v1beta1', 'v1'] })
    expect((await create()).status).toBe(201)
    expect(hook.reviews[0]?.apiVersion).toBe('admission.k8s.io/v1beta1')
  })
})
