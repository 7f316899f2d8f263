import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster
const namespace = 'scratch'
const at = (name: string) => ({ namespace, name })

beforeAll(async () => {
  cluster = await runCluster()
  await cluster.namespace(namespace)
})
afterAll(() => cluster.close())

function create(name: string) {
  const volumeClaimTemplate = {
    metadata: { labels: { app: 'scratch' }, annotations: { why: 'scratch space' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'none',
      resources: { requests: { storage: '1Gi' } },
    },
  }
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }]
  return cluster.client.create(
    kinds.pods,
    { metadata: at(name), spec: { containers: [{ name: 'm', image: 'busybox' }], volumes } },
    { namespace },
  )
}

describe('the claim of a generic ephemeral volume', () => {
  it('is made for the pod, is made again when deleted, and goes with the pod', async () => {
    const pod = await create('one')
    const claim = await cluster.until(
      kinds.persistentVolumeClaims,
      at('one-scratch'),
      (is) => is !== undefined,
    )
    expect(claim?.metadata).toMatchObject({
      labels: { app: 'scratch' },
      annotations: { why: 'scratch space' },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Pod',
          name: 'one',
          uid: pod.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    })
    expect(claim?.spec?.resources?.requests).toEqual({ storage: '1Gi' })
    await cluster.client.delete(kinds.persistentVolumeClaims, at('one-scratch'))
    await cluster.until(
      kinds.persistentVolumeClaims,
      at('one-scratch'),
      (is) => is !== undefined && is.metadata.uid !== claim?.metadata.uid,
    )
    await cluster.client.delete(kinds.pods, at('one'))
    await cluster.until(kinds.persistentVolumeClaims, at('one-scratch'), (is) => is === undefined)
  })

  it('is never a claim that somebody else made under that name', async () => {
    await cluster.client.create(
      kinds.persistentVolumeClaims,
      {
        metadata: at('two-scratch'),
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'none',
          resources: { requests: { storage: '1Gi' } },
        },
      },
      { namespace },
    )
    const pod = await create('two')
    const signal = AbortSignal.timeout(20_000)
    const fieldSelector = `involvedObject.uid=${pod.metadata.uid},reason=FailedBinding`
    const list = await cluster.client.list(kinds.events, { namespace, fieldSelector })
    let [event] = list.items
    const resourceVersion = list.metadata.resourceVersion ?? '0'
    if (event === undefined) {
      for await (const change of cluster.client.watch(kinds.events, {
        namespace,
        fieldSelector,
        resourceVersion,
        signal,
      })) {
        if (change.type === 'BOOKMARK') continue
        event = change.object
        break
      }
    }
    expect(event).toMatchObject({
      type: 'Warning',
      message:
        'ephemeral volume scratch: PVC scratch/two-scratch was not created for pod scratch/two (pod is not owner)',
    })
  })
})
