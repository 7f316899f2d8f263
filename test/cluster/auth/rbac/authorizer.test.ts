import { expect, test } from 'vitest'
import { accountUserName, type Attributes, createAuth, refusal } from '../../../../src/cluster/auth/index.ts'
import type { UserInfo } from '../../../../src/cluster/registry/request.ts'
import { MemoryReader } from '../memory-reader.ts'
import { binding, bootstrappedReader, clusterRole, putRbac, role } from '../rbac-objects.ts'
import { tokenKey } from '../token-key.ts'

const bob: UserInfo = {
  name: accountUserName({ namespace: 'dev1', name: 'bob' }),
  groups: ['system:serviceaccounts', 'system:serviceaccounts:dev1', 'system:authenticated'],
}
const bobAsSubject = { kind: 'ServiceAccount', name: 'bob', namespace: 'dev1' }

function may(reader: MemoryReader, attributes: object, user = bob): boolean {
  return decide(reader, attributes, user).allowed
}

function decide(reader: MemoryReader, attributes: object, user = bob): { allowed: boolean; reason: string } {
  const { authorizer } = createAuth({ reader, tokenKey })
  return authorizer.authorize({ group: '', ...attributes, user } as Attributes)
}

function withRules(rules: unknown[]): MemoryReader {
  const reader = bootstrappedReader()
  putRbac(reader, role('dev1', 'dev', rules))
  putRbac(reader, binding('dev1', 'bob-dev', { role: 'dev' }, [bobAsSubject]))
  return reader
}

test('a role binding gives the rules of its role in its namespace only, and says who gives them', () => {
  const reader = withRules([{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }])
  expect(decide(reader, { verb: 'list', resource: 'pods', namespace: 'dev1' })).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "bob-dev/dev1" of Role "dev" to ServiceAccount "bob/dev1"',
  })
  expect(may(reader, { verb: 'list', resource: 'pods', namespace: 'dev2' })).toBe(false)
  expect(may(reader, { verb: 'list', resource: 'pods' })).toBe(false)
})

test('subresources must be named; "*/scale" stands for that subresource of everything, "pods/*" for nothing', () => {
  const reader = withRules([
    { apiGroups: [''], resources: ['pods', 'pods/*'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] },
  ])
  const ask = (group: string, resource: string, subresource?: string): boolean =>
    may(reader, { verb: 'get', group, resource, subresource, namespace: 'dev1' })
  expect(ask('', 'pods')).toBe(true)
  expect(ask('', 'pods', 'log')).toBe(false)
  expect(ask('apps', 'deployments', 'scale')).toBe(true)
  expect(ask('apps', 'deployments')).toBe(false)
  expect(ask('apps', 'deployments', 'status')).toBe(false)
})

test('resource names limit a rule to requests that name the object', () => {
  const reader = withRules([
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['get', 'list', 'create'] },
  ])
  const ask = (verb: string, name?: string): boolean =>
    may(reader, { verb, resource: 'secrets', name, namespace: 'dev1' })
  expect(ask('get', 'mine')).toBe(true)
  expect(ask('get', 'yours')).toBe(false)
  expect(ask('list')).toBe(false)
  expect(ask('list', 'mine')).toBe(true)
  expect(ask('create')).toBe(false)
})

test('paths match whole or by a star at their end', () => {
  const reader = bootstrappedReader()
  putRbac(reader, clusterRole('paths', [{ nonResourceURLs: ['/logs/*', '/metrics'], verbs: ['get'] }]))
  putRbac(reader, binding('', 'paths', { clusterRole: 'paths' }, [bobAsSubject]))
  const ask = (path: string): boolean => may(reader, { verb: 'get', path })
  expect(ask('/logs/a/b')).toBe(true)
  expect(ask('/metrics')).toBe(true)
  expect(ask('/metrics/slis')).toBe(false)
  expect(ask('/version')).toBe(true)
  expect(ask('/secret')).toBe(false)
})

test('a cluster role bound in a namespace gives its rules there', () => {
  const reader = bootstrappedReader()
  putRbac(reader, binding('dev1', 'views', { clusterRole: 'view' }, [{ kind: 'User', name: 'ann' }]))
  const ann = { name: 'ann', groups: ['system:authenticated'] }
  expect(may(reader, { verb: 'list', resource: 'pods', namespace: 'dev1' }, ann)).toBe(true)
  expect(may(reader, { verb: 'list', resource: 'secrets', namespace: 'dev1' }, ann)).toBe(false)
  expect(may(reader, { verb: 'list', resource: 'pods' }, ann)).toBe(false)
})

test('a service account without namespace in a role binding is one of the namespace of the binding', () => {
  const reader = bootstrappedReader()
  putRbac(reader, role('dev1', 'dev', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]))
  putRbac(reader, binding('dev1', 'dev', { role: 'dev' }, [{ kind: 'ServiceAccount', name: 'bob' }]))
  expect(may(reader, { verb: 'delete', resource: 'pods', namespace: 'dev1' })).toBe(true)
})

test('a change of roles or bindings counts with the next request', () => {
  const reader = withRules([{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }])
  const { authorizer } = createAuth({ reader, tokenKey })
  const ask = (): boolean =>
    authorizer.authorize({ user: bob, verb: 'list', group: '', resource: 'pods', namespace: 'dev1' }).allowed
  expect(ask()).toBe(true)
  reader.remove('rbac.authorization.k8s.io/rolebindings', 'dev1', 'bob-dev')
  expect(ask()).toBe(false)
})

test('a binding to a role that is missing is told in the refusal', () => {
  const reader = bootstrappedReader()
  putRbac(reader, binding('dev1', 'broken', { clusterRole: 'nope' }, [bobAsSubject]))
  const asked = { verb: 'list', group: '', resource: 'pods', namespace: 'dev1', user: bob }
  const decision = decide(reader, asked)
  expect(refusal(asked, decision.reason).message).toBe(
    'pods is forbidden: User "system:serviceaccount:dev1:bob" cannot list resource "pods" in API group "" in the namespace "dev1": RBAC: clusterrole.rbac.authorization.k8s.io "nope" not found',
  )
})

test('refusals name resource, subresource, group and scope, or the path', () => {
  const message = (attributes: object): unknown =>
    refusal({ user: { name: 'x', groups: [] }, group: '', verb: '', path: '', ...attributes }, '').status
  expect(message({ verb: 'list', resource: 'namespaces' })).toMatchObject({
    message:
      'namespaces is forbidden: User "x" cannot list resource "namespaces" in API group "" at the cluster scope',
    details: { kind: 'namespaces' },
    code: 403,
    reason: 'Forbidden',
  })
  expect(
    message({ verb: 'get', resource: 'pods', subresource: 'log', name: 'a', namespace: 'dev1' }),
  ).toMatchObject({
    message:
      'pods "a" is forbidden: User "x" cannot get resource "pods/log" in API group "" in the namespace "dev1"',
    details: { kind: 'pods', name: 'a' },
  })
  expect(message({ verb: 'get', path: '/x' })).toMatchObject({
    message: 'forbidden: User "x" cannot get path "/x"',
    details: {},
  })
})

test('members of system:masters may do everything, whatever the roles say', () => {
  const root = { name: 'root', groups: ['system:masters'] }
  expect(may(new MemoryReader(), { verb: 'delete', resource: 'nodes' }, root)).toBe(true)
  expect(may(new MemoryReader(), { verb: 'put', path: '/anything' }, root)).toBe(true)
})

test('people without credentials see versions and health, nothing else', () => {
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
  const reader = bootstrappedReader()
  expect(may(reader, { verb: 'get', path: '/readyz' }, anonymous)).toBe(true)
  expect(may(reader, { verb: 'get', path: '/api' }, anonymous)).toBe(false)
  expect(may(reader, { verb: 'list', resource: 'pods', namespace: 'dev1' }, anonymous)).toBe(false)
})

test('controllers act with the rights of their own role', () => {
  const reader = bootstrappedReader()
  const controller = {
    name: 'system:serviceaccount:kube-system:generic-garbage-collector',
    groups: ['system:serviceaccounts'],
  }
  expect(may(reader, { verb: 'delete', group: 'x.io', resource: 'things' }, controller)).toBe(true)
  expect(may(reader, { verb: 'create', group: 'x.io', resource: 'things' }, controller)).toBe(false)
})

test('a decision for a known user takes microseconds', () => {
  const reader = withRules([{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }])
  const { authorizer } = createAuth({ reader, tokenKey })
  const asked = { user: bob, verb: 'list', group: '', resource: 'pods', namespace: 'dev1' }
  for (let warm = 0; warm < 2000; warm++) authorizer.authorize(asked)
  const start = process.cpuUsage()
  for (let round = 0; round < 20_000; round++) authorizer.authorize(asked)
  const { user } = process.cpuUsage(start)
  expect(user / 20_000).toBeLessThan(20)
})
