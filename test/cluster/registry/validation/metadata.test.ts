import { describe, expect, it } from 'vitest'
import {
  validateMetadata,
  validateMetadataUpdate,
} from '../../../../src/cluster/registry/validation/metadata.ts'
import type { KubeObject, ObjectMeta } from '../../../../src/kube/index.ts'

const kind = { namespaced: true } as const
const object = (metadata: ObjectMeta): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'n', namespace: 'default', ...metadata },
})
const faults = (metadata: ObjectMeta, definition: Parameters<typeof validateMetadata>[1] = kind): string[] =>
  validateMetadata(object(metadata), definition).map(({ field, message }) => `${field}: ${message}`)

describe('names', () => {
  it('are required', () => {
    expect(faults({ name: '' })).toEqual(['metadata.name: Required value: name or generateName is required'])
  })

  it('are subdomains unless the kind says otherwise', () => {
    expect(faults({ name: 'a.b-c' })).toEqual([])
    expect(faults({ name: 'a_b' })).toEqual([
      "metadata.name: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ])
    expect(faults({ name: 'system:node:a' }, { ...kind, nameRule: 'path-segment' })).toEqual([])
    expect(faults({ name: 'a/b' }, { ...kind, nameRule: 'path-segment' })).toEqual([
      'metadata.name: Invalid value: "a/b": may not contain \'/\'',
    ])
    expect(faults({ name: 'a.b' }, { ...kind, nameRule: 'label' })).toEqual([
      'metadata.name: Invalid value: "a.b": must not contain dots',
    ])
  })

  it('may be begun by a prefix that could not end one', () => {
    expect(faults({ name: 'gen-abcde', generateName: 'gen-' })).toEqual([])
  })

  it('go with a namespace where the kind has one, and only there', () => {
    expect(faults({ namespace: '' })).toEqual(['metadata.namespace: Required value'])
    expect(faults({}, { namespaced: false })).toEqual([
      'metadata.namespace: Forbidden: not allowed on this type',
    ])
  })
})

describe('labels and annotations', () => {
  it('are refused with keys and values nobody could select', () => {
    expect(faults({ labels: { 'bad key!': 'bad value!' } })).toEqual([
      "metadata.labels: Invalid value: \"bad key!\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "metadata.labels: Invalid value: \"bad value!\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ])
    expect(faults({ labels: { a: 'x'.repeat(64) } })).toEqual([
      `metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
    ])
  })

  it('may hold up to 256 KiB of annotations', () => {
    const fits = 256 * 1024 - 1
    expect(faults({ annotations: { a: 'x'.repeat(fits) } })).toEqual([])
    expect(faults({ annotations: { a: 'x'.repeat(fits + 1) } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ])
  })
})

describe('owners and finalizers', () => {
  const owner = (name: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    uid: `u-${name}`,
    controller: true,
  })

  it('allow one controller', () => {
    expect(faults({ ownerReferences: [{ ...owner('x1'), apiVersion: 'a/b/c' }] })).toEqual([
      'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
    ])
    expect(faults({ ownerReferences: [owner('x1'), owner('x2')] })).toEqual([
      'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"ConfigMap","name":"x1","uid":"u-x1","controller":true},{"apiVersion":"v1","kind":"ConfigMap","name":"x2","uid":"u-x2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for ConfigMap/x1 and ConfigMap/x2',
    ])
  })

  it('want finalizers with a domain, except for custom resources', () => {
    expect(faults({ finalizers: ['nodomain'] })).toEqual([
      'metadata.finalizers[0]: Invalid value: "nodomain": name is neither a standard finalizer name nor is it fully qualified',
    ])
    expect(faults({ finalizers: ['nodomain'] }, { ...kind, isCustom: true })).toEqual([])
  })
})

describe('changed metadata', () => {
  const changed = (metadata: ObjectMeta, before: ObjectMeta = {}): string[] =>
    validateMetadataUpdate(
      object({ uid: 'u', resourceVersion: '1', ...metadata }),
      object({ uid: 'u', resourceVersion: '1', ...before }),
      {},
    ).map(({ field, message }) => `${field}: ${message}`)

  it('keeps what the server owns', () => {
    expect(changed({ uid: 'other' })).toEqual(['metadata.uid: Invalid value: "other": field is immutable'])
    expect(changed({ generation: 1 }, { generation: 2 })).toEqual([
      'metadata.generation: Invalid value: 1: must not be decremented',
    ])
  })

  it('adds nothing that would keep a deleted object alive', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z'
    const before = { deletionTimestamp, finalizers: ['a.io/x'] }
    expect(changed({ deletionTimestamp, finalizers: [] }, before)).toEqual([])
    expect(changed({ deletionTimestamp, finalizers: ['a.io/x', 'a.io/y'] }, before)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.io/y"}',
    ])
  })
})
