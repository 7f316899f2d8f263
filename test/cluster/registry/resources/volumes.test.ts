import { describe, expect, it } from 'vitest'
import { persistentVolumes } from '../../../../src/cluster/registry/resources/persistent-volume.ts'
import { persistentVolumeClaims } from '../../../../src/cluster/registry/resources/persistent-volume-claim.ts'
import { storageClasses } from '../../../../src/cluster/registry/resources/storage-class.ts'
import { at, type Body, changeFaults, created, createFaults, put, row, updateFaults } from './drive.ts'

const volume = (spec: Body): Body => ({ metadata: { name: 'pv' }, spec })
const nfs = { server: 'storage', path: '/data' }
const usual = { capacity: { storage: '10Gi' }, accessModes: ['ReadWriteMany'] }
const claim = (spec: Body = {}): Body => ({
  metadata: { name: 'c' },
  spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '10Gi' } }, ...spec },
})

describe('persistent volumes', () => {
  it('are refused when they say nothing', () => {
    expect(createFaults(persistentVolumes, volume({})).sort()).toEqual([
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ])
  })

  it('are refused with two sources', () => {
    expect(createFaults(persistentVolumes, volume({ ...usual, nfs, hostPath: { path: '/x' } }))).toEqual([
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
    ])
  })

  it('keep their source', () => {
    const faults = updateFaults(persistentVolumes, volume({ ...usual, nfs }), (object) =>
      put(object, 'spec.nfs.path', '/other'),
    )
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n',
    )
  })

  it('note when their phase changed', () => {
    const old = created(persistentVolumes, volume({ ...usual, nfs }))
    let next: unknown
    changeFaults(
      persistentVolumes,
      old,
      (object) => {
        put(object, 'status.phase', 'Available')
        next = object
      },
      'status',
    )
    expect(at(old, 'status.lastPhaseTransitionTime')).toBe('2026-01-01T00:00:00Z')
    expect(at(next, 'status.lastPhaseTransitionTime')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(at(next, 'status.lastPhaseTransitionTime')).not.toBe('2026-01-01T00:00:00Z')
  })

  it('are summed up in a table', () => {
    const object = created(
      persistentVolumes,
      volume({ ...usual, nfs, claimRef: { namespace: 'dev1', name: 'c' } }),
    )
    expect(row(persistentVolumes, object)).toMatchObject({
      Capacity: '10Gi',
      'Access Modes': 'RWX',
      'Reclaim Policy': 'Retain',
      Status: 'Pending',
      Claim: 'dev1/c',
      StorageClass: '',
      VolumeMode: 'Filesystem',
    })
  })
})

describe('persistent volume claims', () => {
  it('are refused without a size and with modes nobody knows', () => {
    expect(createFaults(persistentVolumeClaims, claim({ accessModes: ['Nope'], resources: {} }))).toEqual([
      'spec.accessModes: Unsupported value: "Nope": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.resources[storage]: Required value',
    ])
  })

  it('keep what they ask for, and show what would have changed', () => {
    const faults = updateFaults(persistentVolumeClaims, claim(), (object) =>
      put(object, 'spec.accessModes', ['ReadWriteOnce']),
    )
    expect(faults).toEqual([
      `spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims
@@ -1,6 +1,6 @@
 {
  "AccessModes": [
-  "ReadWriteMany"
+  "ReadWriteOnce"
  ],
  "Selector": null,
  "Resources": {
`,
    ])
  })

  it('grow once they are bound, and do not shrink', () => {
    const bound = created(persistentVolumeClaims, claim())
    put(bound, 'status', { phase: 'Bound', capacity: { storage: '10Gi' } })
    const resize = (size: string) => (object: object) => put(object, 'spec.resources.requests.storage', size)
    expect(changeFaults(persistentVolumeClaims, bound, resize('20Gi'))).toEqual([])
    expect(changeFaults(persistentVolumeClaims, bound, resize('5Gi'))).toEqual([
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ])
  })

  it('begin pending', () => {
    const object = created(persistentVolumeClaims, claim())
    expect(object['status']).toEqual({ phase: 'Pending' })
    expect(row(persistentVolumeClaims, object)).toMatchObject({
      Status: 'Pending',
      Volume: '',
      Capacity: '',
      'Access Modes': '',
    })
  })
})

describe('storage classes', () => {
  const storageClass = { metadata: { name: 'fast' }, provisioner: 'acme.io/disks' }

  it('are completed', () => {
    expect(created(storageClasses, storageClass)).toMatchObject({
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    })
  })

  it('keep their provisioner', () => {
    const faults = updateFaults(storageClasses, storageClass, (object) =>
      put(object, 'provisioner', 'acme.io/other'),
    )
    expect(faults).toEqual(['provisioner: Forbidden: updates to provisioner are forbidden.'])
  })
})
