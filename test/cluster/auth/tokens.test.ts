import { decodeJwt } from 'jose'
import { beforeEach, expect, test } from 'vitest'
import {
  accountUserName,
  type Auth,
  createAuth,
  fillTokenSecret,
  tokenSecretType,
} from '../../../src/cluster/auth/index.ts'
import { type KubeObject, StatusError } from '../../../src/kube/index.ts'
import { MemoryReader } from './memory-reader.ts'
import { requestOf } from './requests.ts'
import { tokenKey } from './token-key.ts'

const root = { name: 'root', groups: ['system:masters'] }
let reader: MemoryReader
let auth: Auth
let time: number

beforeEach(() => {
  time = Date.parse('2026-01-01T00:00:00Z')
  reader = new MemoryReader()
  auth = createAuth({ reader, tokenKey, now: () => time })
  reader.put('/serviceaccounts', account())
})

function account(uid = 'bob-1'): KubeObject {
  return { kind: 'ServiceAccount', metadata: { name: 'bob', namespace: 'dev1', uid } }
}

interface Answer {
  readonly spec: Record<string, unknown>
  readonly status: { readonly token: string; readonly expirationTimestamp: string }
}

async function request(spec: object, name = 'bob'): Promise<Answer> {
  const [subresource] = auth.subresources
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec }
  const made: unknown = await subresource?.create?.(
    body,
    requestOf({ user: root, plural: 'serviceaccounts', subresource: 'token', namespace: 'dev1', name }),
  )
  return made as Answer
}

async function failure(work: Promise<unknown> | (() => unknown)): Promise<StatusError['status']> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (error instanceof StatusError) return error.status
    throw error
  }
  throw new Error('it was let through')
}

async function userOf(token: string): Promise<string> {
  try {
    return (await auth.authenticator.authenticate(undefined, `Bearer ${token}`)).name
  } catch (error) {
    if (error instanceof StatusError) return error.message
    throw error
  }
}

test('a token stands for its account, with the groups of accounts', async () => {
  const { status, spec } = await request({ expirationSeconds: 3600 })
  expect(spec).toEqual({
    audiences: ['https://kubernetes.default.svc'],
    expirationSeconds: 3600,
    boundObjectRef: null,
  })
  expect(status.expirationTimestamp).toBe('2026-01-01T01:00:00Z')
  const user = await auth.authenticator.authenticate(undefined, `Bearer ${status.token}`)
  expect(user).toEqual({
    name: 'system:serviceaccount:dev1:bob',
    uid: 'bob-1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:dev1', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[0-9a-f-]{36}$/)] },
  })
  expect(await auth.authenticator.authenticate(undefined, `bearer ${status.token}`)).toBe(user)
})

test('a token carries the claims that Kubernetes puts into it', async () => {
  reader.put('/nodes', { metadata: { name: 'n1', uid: 'node-1' } })
  reader.put('/pods', {
    metadata: { name: 'p', namespace: 'dev1', uid: 'pod-1' },
    spec: { serviceAccountName: 'bob', nodeName: 'n1' },
  })
  const { status } = await request({
    expirationSeconds: 3607,
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
  })
  const seconds = time / 1000
  expect(decodeJwt(status.token)).toEqual({
    aud: ['https://kubernetes.default.svc'],
    exp: seconds + 365 * 24 * 3600,
    iat: seconds,
    nbf: seconds,
    iss: 'https://kubernetes.default.svc',
    jti: expect.any(String),
    sub: 'system:serviceaccount:dev1:bob',
    'kubernetes.io': {
      namespace: 'dev1',
      node: { name: 'n1', uid: 'node-1' },
      pod: { name: 'p', uid: 'pod-1' },
      serviceaccount: { name: 'bob', uid: 'bob-1' },
      warnafter: seconds + 3607,
    },
  })
})

test('a token is dead at once when its account is gone, and stays so for an account of the same name', async () => {
  const { status } = await request({})
  expect(await userOf(status.token)).toBe(accountUserName({ namespace: 'dev1', name: 'bob' }))
  reader.remove('/serviceaccounts', 'dev1', 'bob')
  expect(await userOf(status.token)).toBe('Unauthorized')
  reader.put('/serviceaccounts', account('bob-2'))
  expect(await userOf(status.token)).toBe('Unauthorized')
})

test.each([
  ['pods', { metadata: { name: 'x', namespace: 'dev1' }, spec: { serviceAccountName: 'bob' } }],
  ['secrets', { metadata: { name: 'x', namespace: 'dev1' } }],
  ['nodes', { metadata: { name: 'x' } }],
])('a token that is bound to one of the %s dies with it', async (resource, object) => {
  reader.put(`/${resource}`, object)
  const kind = { pods: 'Pod', secrets: 'Secret', nodes: 'Node' }[resource]
  const { status } = await request({ boundObjectRef: { apiVersion: 'v1', kind, name: 'x' } })
  expect(await userOf(status.token)).toContain('bob')
  reader.remove(`/${resource}`, resource === 'nodes' ? undefined : 'dev1', 'x')
  expect(await userOf(status.token)).toBe('Unauthorized')
})

test('a token ends in its time, also one that was used before', async () => {
  const { status } = await request({ expirationSeconds: 600 })
  expect(await userOf(status.token)).toContain('bob')
  time += 599_000
  expect(await userOf(status.token)).toContain('bob')
  time += 1000
  expect(await userOf(status.token)).toBe('Unauthorized')
})

test('tokens of others, changed tokens, and tokens for other audiences are no credentials', async () => {
  const own = await request({})
  const [head, , signature] = own.status.token.split('.')
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(own.status.token), sub: 'x' })).toString(
    'base64url',
  )
  expect(await userOf(`${head}.${claims}.${signature}`)).toBe('Unauthorized')
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
  expect(await userOf(`${unsigned}.${own.status.token.split('.')[1]}.`)).toBe('Unauthorized')
  const other = await request({ audiences: ['vault'] })
  expect(await userOf(other.status.token)).toBe('Unauthorized')
  expect(await userOf(other.status.token)).toBe('Unauthorized')
  expect(await userOf('rubbish')).toBe('Unauthorized')
  expect(await userOf('x'.repeat(100_000))).toBe('Unauthorized')
})

test('requests that ask for too little, too much or the wrong thing are refused in the words of Kubernetes', async () => {
  expect(await failure(request({ expirationSeconds: 60 }))).toMatchObject({
    code: 422,
    message:
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  })
  expect(await failure(request({ expirationSeconds: 2 ** 33 }))).toMatchObject({ code: 422 })
  expect(await failure(request({}, 'nobody'))).toMatchObject({
    code: 404,
    message: 'serviceaccounts "nobody" not found',
  })
  const bound = (ref: object): Promise<StatusError['status']> =>
    failure(request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', ...ref } }))
  expect(await bound({})).toMatchObject({ code: 404, message: 'pods "p" not found' })
  expect(await bound({ kind: 'ConfigMap' })).toMatchObject({
    code: 400,
    message: 'cannot bind token to object of type /v1, Kind=ConfigMap',
  })
  reader.put('/pods', { metadata: { name: 'p', namespace: 'dev1' }, spec: { serviceAccountName: 'tom' } })
  expect(await bound({})).toMatchObject({ code: 400 })
  reader.put('/secrets', { metadata: { name: 'p', namespace: 'dev1' } })
  expect(await bound({ kind: 'Secret', uid: 'another' })).toMatchObject({ code: 409 })
})

test('a token secret is filled by the server and its token dies with the secret', async () => {
  const empty: KubeObject = {
    type: tokenSecretType,
    metadata: {
      name: 'bob-secret',
      namespace: 'dev1',
      annotations: { 'kubernetes.io/service-account.name': 'bob' },
    },
  }
  const filled = await fillTokenSecret(empty, account(), { tokens: auth.tokens, authority: 'CA' })
  expect(filled).toMatchObject({
    metadata: { annotations: { 'kubernetes.io/service-account.uid': 'bob-1' } },
    data: { namespace: 'ZGV2MQ==', 'ca.crt': 'Q0E=' },
  })
  const secret = reader.put('/secrets', filled ?? empty)
  const data = secret.data as { token: string }
  const token = Buffer.from(data.token, 'base64').toString()
  time += 10 * 365 * 24 * 3600 * 1000
  expect(await userOf(token)).toBe('system:serviceaccount:dev1:bob')
  expect(await fillTokenSecret(secret, account(), { tokens: auth.tokens, authority: 'CA' })).toBeUndefined()
  reader.put('/secrets', { ...secret, data: { ...data, token: 'b3RoZXI=' } })
  expect(await userOf(token)).toBe('Unauthorized')
  reader.put('/secrets', secret)
  expect(await userOf(token)).toContain('bob')
  reader.remove('/secrets', 'dev1', 'bob-secret')
  expect(await userOf(token)).toBe('Unauthorized')
})

test('parts of the control plane have tokens that only this process knows', async () => {
  const token = auth.authenticator.issueLoopbackToken({ name: 'system:kube-scheduler', groups: [] })
  expect(await auth.authenticator.authenticate(undefined, `Bearer ${token}`)).toEqual({
    name: 'system:kube-scheduler',
    groups: ['system:authenticated'],
  })
  expect(await userOf(`${token}x`)).toBe('Unauthorized')
})

test('no credentials make an anonymous request', async () => {
  expect(await auth.authenticator.authenticate(undefined, undefined)).toEqual({
    name: 'system:anonymous',
    groups: ['system:unauthenticated'],
  })
})

test('a token review tells whose token it is and for whom it is good', async () => {
  const { status } = await request({ audiences: ['vault', 'https://kubernetes.default.svc'] })
  const review = (spec: object): Promise<unknown> => {
    const resource = auth.virtualResources.find(({ kind }) => kind === 'TokenReview')
    return resource
      ? resource.create({ spec: { ...spec } }, requestOf({ user: root, plural: 'tokenreviews' }))
      : Promise.reject(new Error('not served'))
  }
  expect(await review({ token: status.token })).toMatchObject({
    status: {
      authenticated: true,
      audiences: ['https://kubernetes.default.svc'],
      user: { username: 'system:serviceaccount:dev1:bob', uid: 'bob-1' },
    },
  })
  expect(await review({ token: status.token, audiences: ['vault'] })).toMatchObject({
    status: { authenticated: true, audiences: ['vault'] },
  })
  expect(await review({ token: status.token, audiences: ['else'] })).toMatchObject({ status: { user: {} } })
  expect(await review({ token: 'rubbish' })).toMatchObject({ status: { user: {} } })
})

test('the key that verifies tokens is published', async () => {
  const { configuration, keys } = await auth.tokens.discovery('127.0.0.1:6443')
  expect(configuration).toMatchObject({
    issuer: 'https://kubernetes.default.svc',
    jwks_uri: 'https://127.0.0.1:6443/openid/v1/jwks',
  })
  expect(keys).toMatchObject({ keys: [{ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' }] })
  expect(JSON.stringify(keys)).not.toContain('"d"')
})

test('a connection that outlives its certificate is no credential any more', async () => {
  const socket = {
    authorized: true,
    getPeerCertificate: () => ({ subject: { CN: 'bob', O: 'dev1' }, valid_to: 'Jan  1 00:00:10 2026 GMT' }),
  }
  expect(await auth.authenticator.authenticate(socket, undefined)).toEqual({
    name: 'bob',
    groups: ['dev1', 'system:authenticated'],
  })
  time += 10_000
  expect(await failure(() => auth.authenticator.authenticate(socket, undefined))).toMatchObject({ code: 401 })
})
