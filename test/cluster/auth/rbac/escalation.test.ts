import { expect, test } from 'vitest'
import { createAuth } from '../../../../src/cluster/auth/index.ts'
import { admit, mutate } from '../../../../src/cluster/registry/parts.ts'
import type { UserInfo } from '../../../../src/cluster/registry/request.ts'
import { type KubeObject, StatusError } from '../../../../src/kube/index.ts'
import type { MemoryReader } from '../memory-reader.ts'
import { binding, bootstrappedReader, clusterRole, putRbac, role } from '../rbac-objects.ts'
import { admissionOf, requestOf } from '../requests.ts'
import { tokenKey } from '../token-key.ts'

const plurals: Readonly<Record<string, string>> = {
  Role: 'roles',
  ClusterRole: 'clusterroles',
  RoleBinding: 'rolebindings',
  ClusterRoleBinding: 'clusterrolebindings',
}
const lead: UserInfo = { name: 'lead', groups: ['dev1', 'system:authenticated'] }
const asLead = { kind: 'User', name: 'lead' }

/** `lead` may write roles and bindings of dev1, and get pods. */
function cluster(extra: unknown[] = []): MemoryReader {
  const reader = bootstrappedReader()
  const writes = {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['create', 'update', 'patch'],
  }
  const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }
  putRbac(reader, role('dev1', 'lead', [writes, pods, ...extra]))
  putRbac(reader, binding('dev1', 'lead', { role: 'lead' }, [asLead]))
  return reader
}

/** The refusal of a write, or undefined when it is let through. */
async function write(
  reader: MemoryReader,
  object: KubeObject,
  options: { user?: UserInfo; oldObject?: KubeObject } = {},
): Promise<string | undefined> {
  const { admitters } = createAuth({ reader, tokenKey })
  const request = requestOf({
    user: options.user ?? lead,
    group: 'rbac.authorization.k8s.io',
    plural: plurals[object.kind ?? ''] ?? '',
    ...(object.metadata.namespace && { namespace: object.metadata.namespace }),
    ...(options.oldObject?.metadata.name && { name: options.oldObject.metadata.name }),
  })
  const { oldObject } = options
  const admission = admissionOf(oldObject ? 'UPDATE' : 'CREATE', request, {
    object,
    ...(oldObject && { oldObject }),
  })
  try {
    await mutate({ admitters }, admission)
    await admit({ admitters }, admission)
    return undefined
  } catch (error) {
    if (error instanceof StatusError) return error.message
    throw error
  }
}

test('a role may be written by those who hold its rules', async () => {
  const held = role('dev1', 'held', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }])
  expect(await write(cluster(), held)).toBeUndefined()
})

test('a role with rules that its writer does not hold is refused and the missing rules are told', async () => {
  const grab = role('dev1', 'grab', [
    { apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get', 'list', 'delete'] },
    { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'], verbs: ['get'] },
  ])
  expect(await write(cluster(), grab)).toBe(
    [
      'roles.rbac.authorization.k8s.io "grab" is forbidden: user "lead" (groups=["dev1" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:',
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "delete"]}',
      '{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["a"], Verbs:["get"]}',
    ].join('\n'),
  )
})

test('the verb escalate lets any role through', async () => {
  const escalate = {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles'],
    verbs: ['escalate'],
  }
  const grab = role('dev1', 'grab', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }])
  expect(await write(cluster([escalate]), grab)).toBeUndefined()
})

test('a rule for one name does not cover the rule for all names, but the other way round it does', async () => {
  const named = { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get'] }
  const all = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }
  expect(await write(cluster([named]), role('dev1', 'x', [all]))).toContain(
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  )
  expect(await write(cluster([all]), role('dev1', 'x', [named]))).toBeUndefined()
})

test('stars are held only by those who hold stars', async () => {
  const everything = role('dev1', 'x', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
  expect(await write(cluster(), everything)).toContain('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}')
  const holder = cluster([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
  expect(await write(holder, everything)).toBeUndefined()
})

test('a role may be bound by those who hold its rules or the verb bind', async () => {
  const strong = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
  const bind = (reader: MemoryReader): Promise<string | undefined> => {
    putRbac(reader, role('dev1', 'strong', strong))
    return write(reader, binding('dev1', 'b', { role: 'strong' }, [asLead]))
  }
  expect(await bind(cluster())).toContain(
    'rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "lead"',
  )
  expect(await bind(cluster(strong))).toBeUndefined()
  const mayBind = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['bind'] }
  expect(await bind(cluster([mayBind]))).toBeUndefined()
  const mayBindThis = { ...mayBind, resourceNames: ['strong'] }
  expect(await bind(cluster([mayBindThis]))).toBeUndefined()
  const mayBindOther = { ...mayBind, resourceNames: ['other'] }
  expect(await bind(cluster([mayBindOther]))).toContain('is forbidden')
})

test('binding cluster-admin is refused with both of its rules', async () => {
  const refused = await write(cluster(), binding('dev1', 'ca', { clusterRole: 'cluster-admin' }, [asLead]))
  expect(refused).toContain(
    'not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
  )
})

test('binding a role that does not exist is not found', async () => {
  expect(await write(cluster(), binding('dev1', 'b', { role: 'nope' }, [asLead]))).toBe(
    'role.rbac.authorization.k8s.io "nope" not found',
  )
})

test('an aggregated cluster role is for cluster administrators', async () => {
  const reader = cluster()
  putRbac(
    reader,
    clusterRole('role-writer', [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['create'] },
    ]),
  )
  putRbac(reader, binding('', 'role-writer', { clusterRole: 'role-writer' }, [asLead]))
  const aggregated = {
    ...clusterRole('all', []),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  }
  expect(await write(reader, aggregated)).toBe(
    'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  )
})

test('changing only owner references needs no rights of the role', async () => {
  const old = role('dev1', 'grab', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }])
  const changed = { ...old, metadata: { ...old.metadata, ownerReferences: [] } }
  expect(await write(cluster(), changed, { oldObject: old })).toBeUndefined()
  const more = { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }
  expect(await write(cluster(), more, { oldObject: old })).toContain('is attempting to grant')
})

test('members of system:masters are not held up', async () => {
  const user = { name: 'root', groups: ['system:masters'] }
  const everything = role('dev1', 'x', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
  expect(await write(cluster(), everything, { user })).toBeUndefined()
})
