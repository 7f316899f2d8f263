import { describe, expect, it } from 'vitest'
import { resourceTable } from '../../../../src/cluster/registry/resources/table.ts'
import { type Body, created, row } from './drive.ts'

const byName = new Map(resourceTable.map((one) => [`${one.plural}.${one.group}`, one]))

describe('the table of built-in kinds', () => {
  it('lists every version of a kind once', () => {
    const paths = resourceTable.map(({ group, version, plural }) => `${group}/${version}/${plural}`)
    expect(new Set(paths).size).toBe(resourceTable.length)
  })

  // Discovery of a real server.
  it.each([
    ['configmaps.', 'qFsyl6wFWjQ=', ['cm'], undefined],
    ['endpoints.', 'fWeeMqaN/OA=', ['ep'], undefined],
    ['events.', 'r2yiGXH7wu8=', ['ev'], undefined],
    ['limitranges.', 'EBKMFVe6cwo=', ['limits'], undefined],
    ['namespaces.', 'Q3oi5N2YM8M=', ['ns'], undefined],
    ['nodes.', 'XwShjMxG9Fs=', ['no'], undefined],
    ['persistentvolumeclaims.', 'QWTyNDq0dC4=', ['pvc'], undefined],
    ['persistentvolumes.', 'HN/zwEC+JgM=', ['pv'], undefined],
    ['pods.', 'xPOwRZ+Yhw8=', ['po'], ['all']],
    ['podtemplates.', 'LIXB2x4IFpk=', undefined, undefined],
    ['resourcequotas.', '8uhSgffRX6w=', ['quota'], undefined],
    ['secrets.', 'S6u1pOWzb84=', undefined, undefined],
    ['serviceaccounts.', 'pbx9ZvyFpBE=', ['sa'], undefined],
    ['services.', '0/CO1lhkEBI=', ['svc'], ['all']],
    ['cronjobs.batch', 'sd5LIXh4Fjs=', ['cj'], ['all']],
    ['jobs.batch', 'mudhfqk/qZY=', undefined, ['all']],
    ['roles.rbac.authorization.k8s.io', '7FuwZcIIItM=', undefined, undefined],
    ['priorityclasses.scheduling.k8s.io', '1QwjyaZjj3Y=', ['pc'], undefined],
    ['csidrivers.storage.k8s.io', 'hL6j/rwBV5w=', undefined, undefined],
    ['csinodes.storage.k8s.io', 'Pe62DkZtjuo=', undefined, undefined],
    ['csistoragecapacities.storage.k8s.io', 'xeVl+2Ly1kE=', undefined, undefined],
    ['volumeattachments.storage.k8s.io', 'tJx/ezt6UDU=', undefined, undefined],
    ['storageclasses.storage.k8s.io', 'K+m6uJwbjGY=', ['sc'], undefined],
    ['leases.coordination.k8s.io', 'gqkMMb/YqFM=', undefined, undefined],
    ['poddisruptionbudgets.policy', 'EVWiDmWqyJw=', ['pdb'], undefined],
    ['ingressclasses.networking.k8s.io', 'l/iqIbDgFyQ=', undefined, undefined],
    ['ingresses.networking.k8s.io', '39NQlfNR+bo=', ['ing'], undefined],
    ['networkpolicies.networking.k8s.io', 'YpfwF18m1G8=', ['netpol'], undefined],
    ['certificatesigningrequests.certificates.k8s.io', '95fRKMXA+00=', ['csr'], undefined],
    ['runtimeclasses.node.k8s.io', 'WQTu1GL3T2Q=', undefined, undefined],
  ])('knows %s as discovery shows it', (name, storageVersionHash, shortNames, categories) => {
    const definition = byName.get(name)
    expect(definition?.storageVersionHash).toBe(storageVersionHash)
    expect(definition?.shortNames).toEqual(shortNames)
    expect(definition?.categories).toEqual(categories)
  })

  it('names every kind in the singular as its kind in lower case', () => {
    for (const { kind, singular } of resourceTable) expect(singular).toBe(kind.toLowerCase())
  })

  it('answers a delete with the object where Kubernetes does', () => {
    const answering = resourceTable
      .filter(({ deleteReturnsObject, group }) => deleteReturnsObject && group === '')
      .map(({ plural }) => plural)
    expect(answering.sort()).toEqual([
      'namespaces',
      'persistentvolumeclaims',
      'persistentvolumes',
      'pods',
      'podtemplates',
      'resourcequotas',
      'serviceaccounts',
      'services',
    ])
  })

  it.each([
    [
      'pods.',
      ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates'],
    ],
    ['jobs.batch', ['Name', 'Status', 'Completions', 'Duration', 'Age', 'Containers', 'Images', 'Selector']],
    ['secrets.', ['Name', 'Type', 'Data', 'Age']],
    ['configmaps.', ['Name', 'Data', 'Age']],
    ['resourcequotas.', ['Name', 'Request', 'Limit', 'Age']],
    ['namespaces.', ['Name', 'Status', 'Age']],
    ['limitranges.', ['Name', 'Created At']],
  ])('gives %s the columns that kubectl prints', (name, columns) => {
    expect(byName.get(name)?.columns?.map((column) => column.name)).toEqual(columns)
  })

  it('makes a row of an object that says next to nothing', () => {
    const needed: Record<string, Body> = {
      EndpointSlice: { addressType: 'IPv4', endpoints: [] },
      Event: { involvedObject: { namespace: 'default' } },
      PersistentVolume: {
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          hostPath: { path: '/x' },
        },
      },
      PersistentVolumeClaim: {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
      Pod: { spec: { containers: [{ name: 'a', image: 'i' }] } },
      Service: { spec: { ports: [{ port: 80 }] } },
      StorageClass: { provisioner: 'acme.io/disks' },
      Job: {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'i' }] } } },
      },
    }
    for (const definition of resourceTable) {
      const body = needed[definition.kind]
      if (!body || definition.storedAs !== undefined) continue
      const cells = row(definition, created(definition, { metadata: { name: 'n' }, ...body }))
      for (const [column, cell] of Object.entries(cells)) {
        expect(cell, `${definition.kind} ${column}`).not.toBeUndefined()
      }
    }
  })
})
