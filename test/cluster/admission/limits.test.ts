import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/index.ts'
import { admissionOver, namespaceWith, type Objects, pod } from './fixture.ts'

function limits(objects: Objects, ...list: object[]): void {
  objects.put('/limitranges', { metadata: { name: 'lr', namespace: 'team' }, spec: { limits: list } })
}

const asking = (...resources: object[]): KubeObject =>
  pod('p', 'team', {
    containers: resources.map((one, at) => ({ name: `c${at}`, image: 'i', resources: one })),
  })

describe('limit ranges', () => {
  it('look at the pod as a whole', async () => {
    const objects = namespaceWith('team')
    limits(objects, { type: 'Pod', max: { cpu: '3' } })
    const admission = admissionOver(objects)
    const two = { requests: { cpu: '2' }, limits: { cpu: '2' } }
    await admission.admit(asking(two))
    await expect(admission.admit(asking(two, two))).rejects.toThrow(
      'pods "p" is forbidden: maximum cpu usage per Pod is 3, but limit is 4',
    )
    await expect(admission.admit(asking({ requests: { cpu: '1' } }))).rejects.toThrow(
      'maximum cpu usage per Pod is 3.  No limit is specified',
    )
  })

  it('bound the ratio of limit to request, and list several complaints', async () => {
    const objects = namespaceWith('team')
    limits(objects, { type: 'Container', maxLimitRequestRatio: { cpu: '2' }, min: { memory: '1Gi' } })
    await expect(
      admissionOver(objects).admit(
        asking({ requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '3', memory: '1Gi' } }),
      ),
    ).rejects.toThrow(
      'pods "p" is forbidden: [minimum memory usage per Container is 1Gi, but request is 1Mi, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000]',
    )
  })

  it('bound the size of claims', async () => {
    const objects = namespaceWith('team')
    limits(objects, { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } })
    const admission = admissionOver(objects)
    const claim = (storage: string): KubeObject =>
      ({
        metadata: { name: 'c', namespace: 'team' },
        spec: { resources: { requests: { storage } } },
      }) as unknown as KubeObject
    const resource = '/persistentvolumeclaims'
    await admission.admit(claim('5Gi'), { resource })
    await expect(admission.admit(claim('1Mi'), { resource })).rejects.toThrow(
      'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
    )
    await expect(admission.admit(claim('11Gi'), { resource })).rejects.toThrow(
      'maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi',
    )
  })
})

describe('quota on updates', () => {
  it('charges only what an object comes to need more', async () => {
    const objects = namespaceWith('team')
    objects.put('/resourcequotas', {
      metadata: { name: 'q', namespace: 'team' },
      spec: { hard: { services: '1', 'services.loadbalancers': '0', 'services.nodeports': '1' } },
      status: { used: { services: '1', 'services.loadbalancers': '0', 'services.nodeports': '0' } },
    })
    const admission = admissionOver(objects)
    const service = (type: string): KubeObject =>
      ({
        metadata: { name: 's', namespace: 'team' },
        spec: { type, ports: [{ port: 1 }] },
      }) as unknown as KubeObject
    const change = { resource: '/services', operation: 'UPDATE' as const, old: service('ClusterIP') }
    await admission.admit(service('ClusterIP'), change)
    await admission.admit(service('NodePort'), change)
    expect(objects.get('/resourcequotas', 'team', 'q')).toMatchObject({
      status: { used: { services: '1', 'services.nodeports': '1' } },
    })
    await expect(admission.admit(service('LoadBalancer'), change)).rejects.toThrow(
      'services "s" is forbidden: exceeded quota: q, requested: services.loadbalancers=1,services.nodeports=1, used: services.loadbalancers=0,services.nodeports=1, limited: services.loadbalancers=0,services.nodeports=1',
    )
  })
})
