import { beforeEach, expect, test } from 'vitest'
import { createAuth } from '../../../src/cluster/auth/index.ts'
import type { Operation } from '../../../src/cluster/registry/admission.ts'
import { type KubeObject, StatusError } from '../../../src/kube/index.ts'
import type { MemoryReader } from './memory-reader.ts'
import { bootstrappedReader } from './rbac-objects.ts'
import { admissionOf, requestOf } from './requests.ts'
import { tokenKey } from './token-key.ts'

const node = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
let reader: MemoryReader

beforeEach(() => {
  reader = bootstrappedReader()
  for (const [name, nodeName] of [
    ['own', 'n1'],
    ['other', 'n2'],
  ])
    reader.put('/pods', {
      metadata: { name: name ?? '', namespace: 'dev1' },
      spec: {
        nodeName,
        serviceAccountName: `${name}-account`,
        volumes: [{ secret: { secretName: `${name}-secret` } }],
        containers: [{ envFrom: [{ configMapRef: { name: `${name}-config` } }] }],
      },
    })
})

function may(verb: string, resource: string, name?: string, rest: object = {}): boolean {
  const { authorizer } = createAuth({ reader, tokenKey })
  return authorizer.authorize({ user: node, verb, group: '', resource, name, namespace: 'dev1', ...rest })
    .allowed
}

test('a node reads the pods bound to it, and lists no others', () => {
  expect(may('get', 'pods', 'own')).toBe(true)
  expect(may('get', 'pods', 'other')).toBe(false)
  expect(may('list', 'pods')).toBe(false)
  expect(may('watch', 'pods', undefined, { fieldSelector: 'spec.nodeName=n1', namespace: undefined })).toBe(
    true,
  )
  expect(may('watch', 'pods', undefined, { fieldSelector: 'spec.nodeName=n2', namespace: undefined })).toBe(
    false,
  )
})

test('a node reads the secrets and config maps that its pods use, by name', () => {
  expect(may('get', 'secrets', 'own-secret')).toBe(true)
  expect(may('get', 'secrets', 'other-secret')).toBe(false)
  expect(may('get', 'configmaps', 'own-config')).toBe(true)
  expect(may('get', 'configmaps', 'other-config')).toBe(false)
  expect(may('list', 'secrets')).toBe(false)
  expect(may('delete', 'secrets', 'own-secret')).toBe(false)
})

test('a node makes tokens for the accounts of its pods', () => {
  const token = { subresource: 'token' }
  expect(may('create', 'serviceaccounts', 'own-account', token)).toBe(true)
  expect(may('create', 'serviceaccounts', 'other-account', token)).toBe(false)
})

function write(
  operation: Operation,
  plural: string,
  name: string,
  options: { subresource?: string; namespace?: string; group?: string } = { namespace: 'dev1' },
): string | undefined {
  const { admitters } = createAuth({ reader, tokenKey })
  const oldObject: KubeObject | undefined = reader.get(`/${plural}`, options.namespace, name)
  const request = requestOf({ user: node, plural, name, ...options })
  try {
    for (const admitter of admitters)
      void admitter.validate?.(
        admissionOf(operation, request, {
          object: oldObject ?? { metadata: { name } },
          ...(oldObject && operation !== 'CREATE' && { oldObject }),
        }),
      )
    return undefined
  } catch (error) {
    if (error instanceof StatusError) return error.message
    throw error
  }
}

test('a node writes the status of its own pods only, deletes its own only, and makes none', () => {
  const status = { namespace: 'dev1', subresource: 'status' }
  expect(write('UPDATE', 'pods', 'own', status)).toBeUndefined()
  expect(write('UPDATE', 'pods', 'other', status)).toContain('is forbidden')
  expect(write('DELETE', 'pods', 'own')).toBeUndefined()
  expect(write('DELETE', 'pods', 'other')).toBe(
    'pods "other" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  )
  expect(write('CREATE', 'pods', 'new')).toContain('can only create mirror pods')
})

test('a node writes its own node and lease only', () => {
  expect(write('UPDATE', 'nodes', 'n1', {})).toBeUndefined()
  expect(write('UPDATE', 'nodes', 'n2', {})).toBe(
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  )
  const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' }
  expect(write('UPDATE', 'leases', 'n1', lease)).toBeUndefined()
  expect(write('UPDATE', 'leases', 'n2', lease)).toContain('can only access node lease')
})

test('a node has the CSI node of its own name, and reads the attachments of volumes to it', () => {
  const storage = { group: 'storage.k8s.io', namespace: undefined }
  for (const nodeName of ['n1', 'n2'])
    reader.put('storage.k8s.io/volumeattachments', {
      metadata: { name: `to-${nodeName}` },
      spec: { nodeName },
    })
  expect(may('update', 'csinodes', 'n1', storage)).toBe(true)
  expect(may('update', 'csinodes', 'n2', storage)).toBe(false)
  expect(write('CREATE', 'csinodes', 'n1', { group: 'storage.k8s.io' })).toBeUndefined()
  expect(write('CREATE', 'csinodes', 'n2', { group: 'storage.k8s.io' })).toBe(
    'csinodes.storage.k8s.io "n2" is forbidden: can only access CSINode with the same name as the requesting node',
  )
  expect(may('get', 'volumeattachments', 'to-n1', storage)).toBe(true)
  expect(may('get', 'volumeattachments', 'to-n2', storage)).toBe(false)
  expect(may('list', 'csidrivers', undefined, storage)).toBe(true)
})
