import { describe, expect, it } from 'vitest'
import { configMaps } from '../../../../src/cluster/registry/resources/config-map.ts'
import { limitRanges } from '../../../../src/cluster/registry/resources/limit-range.ts'
import { namespaces } from '../../../../src/cluster/registry/resources/namespace.ts'
import { nodes } from '../../../../src/cluster/registry/resources/node.ts'
import { resourceQuotas } from '../../../../src/cluster/registry/resources/resource-quota.ts'
import { clusterRoleBindings, roleBindings } from '../../../../src/cluster/registry/resources/role-binding.ts'
import { clusterRoles, roles } from '../../../../src/cluster/registry/resources/role.ts'
import { secrets } from '../../../../src/cluster/registry/resources/secret.ts'
import { StatusError } from '../../../../src/kube/index.ts'
import { at, type Body, created, createFaults, put, requestOf, row, updateFaults } from './drive.ts'

const named = (fields: Body = {}, name = 'n'): Body => ({ metadata: { name }, ...fields })
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('config maps', () => {
  it('are refused with keys that are no file names', () => {
    expect(createFaults(configMaps, named({ data: { 'no spaces allowed': 'x' } }))).toEqual([
      "data[no spaces allowed]: Invalid value: \"no spaces allowed\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ])
  })

  it('are refused with one key in both maps', () => {
    expect(createFaults(configMaps, named({ data: { a: 'x' }, binaryData: { a: base64('x') } }))).toEqual([
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ])
  })

  it('are refused beyond a mebibyte', () => {
    const limit = 1024 * 1024
    expect(createFaults(configMaps, named({ data: { a: 'x'.repeat(limit) } }))).toEqual([])
    expect(createFaults(configMaps, named({ data: { a: 'x'.repeat(limit + 1) } }))).toEqual([
      '[]: Too long: may not be more than 1048576 bytes',
    ])
  })

  it('stay as they are once immutable', () => {
    const body = named({ immutable: true, data: { a: '1' } })
    expect(updateFaults(configMaps, body, (object) => put(object, 'data.a', '2'))).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
    expect(updateFaults(configMaps, body, (object) => put(object, 'immutable', false))).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
    ])
  })

  it('cost next to nothing to check', () => {
    const object = created(configMaps, named({ data: { a: '1', b: '2' } }))
    const request = requestOf(configMaps, 'create')
    const rounds = 5_000
    const start = performance.now()
    for (let round = 0; round < rounds; round++) configMaps.validate?.(object, request, () => [])
    const microseconds = ((performance.now() - start) / rounds) * 1000
    // Some tens of times what it takes, for machines that are busy with other things.
    expect(microseconds).toBeLessThan(100)
  })
})

describe('secrets', () => {
  it('for an account must name it', () => {
    const body = named({ type: 'kubernetes.io/service-account-token' })
    expect(createFaults(secrets, body)).toEqual([
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    ])
  })

  it.each<[string, Body, string[]]>([
    [
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': base64('{') },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
    ],
    ['kubernetes.io/tls', {}, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    ['kubernetes.io/basic-auth', {}, ['data[username]: Required value', 'data[password]: Required value']],
    ['kubernetes.io/ssh-auth', {}, ['data[ssh-privatekey]: Required value']],
    ['acme.io/anything', {}, []],
  ])('of type %s hold what the type says', (type, data, faults) => {
    expect(createFaults(secrets, named({ type, data }))).toEqual(faults)
  })

  it('take text beside bytes, and are opaque by default', () => {
    const object = created(secrets, named({ stringData: { a: 'x' } }))
    expect(object).toMatchObject({ type: 'Opaque', data: { a: base64('x') } })
    expect(object['stringData']).toBeUndefined()
  })

  it('keep their type', () => {
    const faults = updateFaults(secrets, named({}), (object) => put(object, 'type', 'acme.io/x'))
    expect(faults).toEqual(['type: Invalid value: "acme.io/x": field is immutable'])
  })
})

describe('namespaces', () => {
  it('begin active, held by their own finalizer, and labelled with their name', () => {
    expect(created(namespaces, named())).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  it('are refused with names that are no DNS labels', () => {
    expect(createFaults(namespaces, named({}, 'Bad_Name'))[0]).toBe(
      "metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    )
  })

  it('that the cluster needs cannot be deleted', () => {
    const request = { ...requestOf(namespaces, 'delete'), name: 'kube-system' }
    const object = created(namespaces, named({}, 'kube-system'))
    expect(() => namespaces.checkDelete?.(object, request)).toThrow(StatusError)
    expect(() => namespaces.checkDelete?.(object, request)).toThrow(
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    )
  })
})

describe('nodes', () => {
  const taint = { key: 'gpu', effect: 'NoSchedule' }

  it('register with the status they have', () => {
    const object = created(nodes, named({ status: { capacity: { cpu: '4' } } }))
    expect(at(object, 'status.allocatable')).toEqual({ cpu: '4' })
  })

  it('are refused with one taint twice', () => {
    expect(createFaults(nodes, named({ spec: { taints: [taint, taint] } }))).toEqual([
      'metadata.taints[1]: Duplicate value: {"Key":"gpu","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
    ])
  })

  it('show whether they are ready, their roles and addresses', () => {
    const body = {
      metadata: { name: 'gpu1', labels: { 'node-role.kubernetes.io/worker': '' } },
      spec: { unschedulable: true },
    }
    const object = created(nodes, body)
    put(object, 'status', {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { kubeletVersion: 'v1.36.0' },
    })
    expect(row(nodes, object)).toMatchObject({
      Name: 'gpu1',
      Status: 'Ready,SchedulingDisabled',
      Roles: 'worker',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
    })
  })
})

describe('resource quotas', () => {
  it('are refused with resources nobody counts and amounts below nothing', () => {
    const faults = createFaults(resourceQuotas, named({ spec: { hard: { nonsense: '1', cpu: '-1' } } }))
    expect(faults.sort()).toEqual([
      'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource for quota',
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource type or fully qualified',
    ])
  })

  it('keep their scopes', () => {
    const body = named({ spec: { hard: { pods: '1' }, scopes: ['BestEffort'] } })
    const faults = updateFaults(resourceQuotas, body, (object) =>
      put(object, 'spec.scopes', ['NotBestEffort']),
    )
    expect(faults).toEqual(['spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable'])
  })

  it('show requests and limits apart', () => {
    const object = created(
      resourceQuotas,
      named({ spec: { hard: { 'requests.cpu': '8', 'limits.cpu': '16', pods: '3' } } }),
    )
    put(object, 'status', {
      hard: { 'requests.cpu': '8', 'limits.cpu': '16', pods: '3' },
      used: { 'requests.cpu': '1500m', 'limits.cpu': '2', pods: '1' },
    })
    expect(row(resourceQuotas, object)).toMatchObject({
      Request: 'pods: 1/3, requests.cpu: 1500m/8',
      Limit: 'limits.cpu: 2/16',
    })
  })
})

describe('limit ranges', () => {
  it('are refused when their own bounds contradict each other', () => {
    const limits = [{ type: 'Container', max: { cpu: '1' }, min: { cpu: '2' } }]
    expect(createFaults(limitRanges, named({ spec: { limits } }))).toEqual([
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
      'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
    ])
  })

  it('give containers their maximum where they say nothing else', () => {
    const limits = [{ type: 'Container', max: { cpu: '1' } }]
    expect(at(created(limitRanges, named({ spec: { limits } })), 'spec.limits.0')).toEqual({
      type: 'Container',
      max: { cpu: '1' },
      default: { cpu: '1' },
      defaultRequest: { cpu: '1' },
    })
  })
})

describe('roles and bindings', () => {
  it.each<[string, Body, string]>([
    [
      'verbs',
      { apiGroups: [''], resources: ['pods'], verbs: [] },
      'rules[0].verbs: Required value: verbs must contain at least one value',
    ],
    [
      'resources',
      { apiGroups: [''], verbs: ['get'] },
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
    [
      'groups',
      { resources: ['pods'], verbs: ['get'] },
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    ],
    [
      'paths outside of cluster roles',
      { nonResourceURLs: ['/healthz'], verbs: ['get'] },
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
    ],
  ])('are refused without proper %s', (_what, rule, fault) => {
    expect(createFaults(roles, named({ rules: [rule] }))).toEqual([fault])
  })

  it('let cluster roles name paths', () => {
    const rule = { nonResourceURLs: ['/healthz'], verbs: ['get'] }
    expect(createFaults(clusterRoles, named({ rules: [rule] }))).toEqual([])
  })

  const binding = (kind: string): Body =>
    named({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'r' },
      subjects: [{ kind: 'ServiceAccount', name: 'sa', namespace: 'default' }],
    })

  it('refuse roles of other kinds', () => {
    expect(createFaults(roleBindings, binding('Nope'))).toEqual([
      'roleRef.kind: Unsupported value: "Nope": supported values: "Role", "ClusterRole"',
    ])
  })

  it('stay bound to one role', () => {
    expect(
      updateFaults(roleBindings, binding('Role'), (object) => put(object, 'roleRef.name', 'other')),
    ).toEqual([
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: cannot change roleRef',
    ])
  })

  it('show their role and whom they bind', () => {
    expect(row(roleBindings, created(roleBindings, binding('Role')))).toMatchObject({
      Role: 'Role/r',
      ServiceAccounts: 'default/sa',
    })
    expect(row(clusterRoleBindings, created(clusterRoleBindings, binding('ClusterRole')))).toMatchObject({
      Role: 'ClusterRole/r',
    })
  })
})
