import { expect, test } from 'vitest'
import { createAuth, type ResourceAttributes } from '../../../src/cluster/auth/index.ts'
import type { UserInfo } from '../../../src/cluster/registry/request.ts'
import { StatusError } from '../../../src/kube/index.ts'
import { binding, bootstrappedReader, clusterRole, putRbac } from './rbac-objects.ts'
import { tokenKey } from './token-key.ts'

const ann: UserInfo = { name: 'ann', groups: ['system:authenticated'] }
const root: UserInfo = { name: 'root', groups: ['system:masters', 'system:authenticated'] }
const listPods = { verb: 'list', group: '', resource: 'pods', namespace: 'dev1' }

function impersonatorFor(
  rules: unknown[],
): (
  headers: Record<string, string[]>,
  user?: UserInfo,
  attributes?: Partial<ResourceAttributes>,
) => UserInfo | string {
  const reader = bootstrappedReader()
  putRbac(reader, clusterRole('acts', rules))
  putRbac(reader, binding('', 'acts', { clusterRole: 'acts' }, [{ kind: 'User', name: 'ann' }]))
  const { impersonator } = createAuth({ reader, tokenKey })
  return (headers, user = ann, attributes = {}) => {
    try {
      return impersonator.impersonate({ ...listPods, ...attributes, user }, headers)
    } catch (error) {
      if (error instanceof StatusError) return error.message
      throw error
    }
  }
}

test('requests without such headers go on as they are', () => {
  expect(impersonatorFor([])({ accept: ['x'] })).toBe(ann)
})

test('an administrator may be anybody', () => {
  const as = impersonatorFor([])
  expect(as({ 'impersonate-user': ['bob'] }, root)).toEqual({
    name: 'bob',
    groups: ['system:authenticated'],
  })
  expect(
    as(
      {
        'impersonate-user': ['bob'],
        'impersonate-group': ['dev1', 'dev2'],
        'impersonate-uid': ['7'],
        'impersonate-extra-acme.com%2fproject': ['a', 'b'],
      },
      root,
    ),
  ).toEqual({
    name: 'bob',
    uid: '7',
    groups: ['dev1', 'dev2', 'system:authenticated'],
    extra: { 'acme.com/project': ['a', 'b'] },
  })
})

test('a service account comes with its groups', () => {
  expect(impersonatorFor([])({ 'impersonate-user': ['system:serviceaccount:dev1:bob'] }, root)).toEqual({
    name: 'system:serviceaccount:dev1:bob',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:dev1', 'system:authenticated'],
  })
})

test('anonymous is not authenticated', () => {
  expect(impersonatorFor([])({ 'impersonate-user': ['system:anonymous'] }, root)).toEqual({
    name: 'system:anonymous',
    groups: ['system:unauthenticated'],
  })
})

test('without rights the refusal speaks of the first way that would have done', () => {
  const as = impersonatorFor([])
  const start = 'pods is forbidden: User "ann" cannot'
  const end = 'resource "pods" in API group "" in the namespace "dev1"'
  expect(as({ 'impersonate-user': ['admin'] })).toBe(`${start} impersonate-on:user-info:list ${end}`)
  expect(as({ 'impersonate-user': ['system:serviceaccount:dev1:bob'] })).toBe(
    `${start} impersonate-on:serviceaccount:list ${end}`,
  )
  expect(as({ 'impersonate-user': ['system:node:n1'] })).toBe(
    `${start} impersonate-on:arbitrary-node:list ${end}`,
  )
})

test('the plain right to impersonate one user is for that user only', () => {
  const as = impersonatorFor([
    { apiGroups: [''], resources: ['users'], resourceNames: ['bob'], verbs: ['impersonate'] },
  ])
  expect(as({ 'impersonate-user': ['bob'] })).toMatchObject({ name: 'bob' })
  expect(as({ 'impersonate-user': ['tom'] })).toBe(
    'users "tom" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope',
  )
  expect(as({ 'impersonate-user': ['bob'], 'impersonate-group': ['system:masters'] })).toBe(
    'groups "system:masters" is forbidden: User "ann" cannot impersonate resource "groups" in API group "" at the cluster scope',
  )
})

test('constrained rights allow one kind of request as one user', () => {
  const as = impersonatorFor([
    {
      apiGroups: ['authentication.k8s.io'],
      resources: ['users'],
      resourceNames: ['bob'],
      verbs: ['impersonate:user-info'],
    },
    { apiGroups: [''], resources: ['pods'], verbs: ['impersonate-on:user-info:list'] },
  ])
  expect(as({ 'impersonate-user': ['bob'] })).toMatchObject({ name: 'bob' })
  expect(as({ 'impersonate-user': ['bob'] }, ann, { verb: 'delete' })).toContain(
    'cannot impersonate-on:user-info:delete resource "pods"',
  )
  expect(as({ 'impersonate-user': ['tom'] })).toBe(
    'users.authentication.k8s.io "tom" is forbidden: User "ann" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
  )
})

test('groups without a user are a bad request', () => {
  expect(impersonatorFor([])({ 'impersonate-group': ['dev1'] }, root)).toContain(
    'without impersonating a user name',
  )
})
