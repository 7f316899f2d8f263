import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/index.ts'
import { admissionOver, namespaceWith, type Objects, pod } from './fixture.ts'

const gpu = (name: string, count: string, containers = 1): KubeObject =>
  pod(name, 'team', {
    containers: Array.from({ length: containers }, (_, index) => ({
      name: `c${index}`,
      image: 'i',
      resources: { requests: { 'nvidia.com/gpu': count }, limits: { 'nvidia.com/gpu': count } },
    })),
  })

function quota(objects: Objects, name: string, hard: Record<string, string>, rest: object = {}): void {
  objects.put('/resourcequotas', { metadata: { name, namespace: 'team' }, spec: { hard, ...rest } })
}

const used = (objects: Objects, name: string): unknown =>
  (objects.get('/resourcequotas', 'team', name) as { status?: { used?: unknown } } | undefined)?.status?.used

describe('resource quota', () => {
  it('charges a pod and refuses the next one that would exceed, in the words of Kubernetes', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { 'requests.nvidia.com/gpu': '1' })
    const admission = admissionOver(objects)
    const { object } = await admission.admit(gpu('g1', '1'))
    expect(used(objects, 'q')).toEqual({ 'requests.nvidia.com/gpu': '1' })
    objects.put('/pods', object)
    await expect(admission.admit(gpu('g3', '1', 2))).rejects.toThrow(
      'pods "g3" is forbidden: exceeded quota: q, requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=1, limited: requests.nvidia.com/gpu=1',
    )
  })

  it('asks for what must be stated, container by container', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { 'requests.cpu': '8', 'requests.memory': '60Gi', 'limits.cpu': '16', pods: '3' })
    await expect(admissionOver(objects).admit(pod('p', 'team'))).rejects.toThrow(
      'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c0; requests.cpu for: c0; requests.memory for: c0',
    )
  })

  it('never lets requests at the same moment overshoot together', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { 'requests.nvidia.com/gpu': '3', pods: '10' })
    const admission = admissionOver(objects)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => admission.admit(gpu(`g${index}`, '1'))),
    )
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(3)
    expect(used(objects, 'q')).toEqual({ 'requests.nvidia.com/gpu': '3', pods: '3' })
  })

  it('gives back what it charged to one quota when another one refuses in the end', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'a', { pods: '10' })
    quota(objects, 'b', { 'requests.nvidia.com/gpu': '1' })
    const admission = admissionOver(objects)
    await Promise.allSettled([admission.admit(gpu('x', '1')), admission.admit(gpu('y', '1'))])
    expect(used(objects, 'a')).toEqual({ pods: '1' })
  })

  it('keeps charges of objects on their way when the counter writes a count made without them', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { pods: '2' })
    const admission = admissionOver(objects)
    await admission.admit(gpu('x', '1'))
    const stale = {
      ...(objects.get('/resourcequotas', 'team', 'q') as object),
      status: { hard: { pods: '2' }, used: { pods: '0' } },
    }
    const { object } = await admission.admit(stale, {
      resource: '/resourcequotas',
      kind: 'ResourceQuota',
      operation: 'UPDATE',
      subresource: 'status',
      user: { name: 'system:serviceaccount:kube-system:resourcequota-controller', groups: [] },
    })
    expect(object['status']).toMatchObject({ used: { pods: '1' } })
  })

  it('leaves a status alone that somebody else writes', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { pods: '2' })
    const written = {
      ...(objects.get('/resourcequotas', 'team', 'q') as object),
      status: { hard: { pods: '9' }, used: { pods: '7' } },
    }
    const { object } = await admissionOver(objects).admit(written, {
      resource: '/resourcequotas',
      kind: 'ResourceQuota',
      operation: 'UPDATE',
      subresource: 'status',
    })
    expect(object['status']).toEqual({ hard: { pods: '9' }, used: { pods: '7' } })
  })

  it('counts any kind of object, custom ones too, and nothing on a dry run', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', { 'count/trainjobs.kubeflow.example': '1', configmaps: '0' })
    const admission = admissionOver(objects)
    const job = { metadata: { name: 'a', namespace: 'team' } }
    await admission.admit(job, { resource: 'kubeflow.example/trainjobs', dryRun: true })
    await admission.admit(job, { resource: 'kubeflow.example/trainjobs' })
    await expect(
      admission.admit(
        { metadata: { name: 'b', namespace: 'team' } },
        { resource: 'kubeflow.example/trainjobs' },
      ),
    ).rejects.toThrow('count/trainjobs.kubeflow.example=1')
    await expect(
      admission.admit({ metadata: { name: 'c', namespace: 'team' } }, { resource: '/configmaps' }),
    ).rejects.toThrow('exceeded quota: q, requested: configmaps=1, used: configmaps=0, limited: configmaps=0')
  })

  it('charges only quotas whose scopes take the pod in', async () => {
    const objects = namespaceWith('team')
    objects.put('scheduling.k8s.io/priorityclasses', { metadata: { name: 'high' }, value: 1000 })
    quota(objects, 'best-effort', { pods: '0' }, { scopes: ['NotBestEffort'] })
    quota(
      objects,
      'high',
      { pods: '1' },
      {
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
        },
      },
    )
    const admission = admissionOver(objects)
    await admission.admit(pod('plain', 'team'))
    await admission.admit(pod('one', 'team', { priorityClassName: 'high' }))
    await expect(admission.admit(pod('two', 'team', { priorityClassName: 'high' }))).rejects.toThrow(
      'exceeded quota: high, requested: pods=1, used: pods=1, limited: pods=1',
    )
    await expect(
      admission.admit(
        pod('three', 'team', {
          containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }],
        }),
      ),
    ).rejects.toThrow('exceeded quota: best-effort')
  })

  it('charges claims by storage class and services by their ports', async () => {
    const objects = namespaceWith('team')
    quota(objects, 'q', {
      'requests.storage': '10Gi',
      'fast.storageclass.storage.k8s.io/requests.storage': '5Gi',
      'services.nodeports': '1',
    })
    const admission = admissionOver(objects)
    const claim = (name: string, size: string): KubeObject =>
      ({
        metadata: { name, namespace: 'team' },
        spec: { storageClassName: 'fast', resources: { requests: { storage: size } } },
      }) as KubeObject
    await admission.admit(claim('a', '4Gi'), { resource: '/persistentvolumeclaims' })
    await expect(admission.admit(claim('b', '2Gi'), { resource: '/persistentvolumeclaims' })).rejects.toThrow(
      'requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi, used: fast.storageclass.storage.k8s.io/requests.storage=4Gi, limited: fast.storageclass.storage.k8s.io/requests.storage=5Gi',
    )
    const service = {
      metadata: { name: 's', namespace: 'team' },
      spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] },
    }
    await expect(admission.admit(service, { resource: '/services' })).rejects.toThrow('services.nodeports=2')
  })
})
