import { describe, expect, it } from 'vitest'
import type { Persisted, Pod, PodCondition } from '../../../src/kube/index.ts'
import { podStatus } from '../../../src/cluster/runtime/agent/pod/pod-status.ts'

const moment = new Date('2026-01-01T00:00:00Z')

function statusOf(generation: number, conditions: readonly Partial<PodCondition>[] = []) {
  const pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u', generation },
    spec: {
      containers: [{ name: 'm', image: 'busybox' }],
      readinessGates: [{ conditionType: 'example.com/a' }, { conditionType: 'example.com/b' }],
    },
    status: { conditions },
  } as unknown as Persisted<Pod>
  const view = {
    name: 'm',
    kind: 'main',
    image: 'busybox',
    imageId: '',
    containerId: '',
    ready: true,
    started: true,
    restartCount: 0,
    resources: {},
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    lastState: {},
  } as const
  return podStatus(
    pod,
    {
      views: [view],
      podAddress: '10.0.0.1',
      hostAddress: '10.0.0.2',
      startedAt: moment,
      isPrepared: true,
      isOver: false,
    },
    moment,
  )
}

const ready = (status: ReturnType<typeof statusOf>) => status.conditions?.find(({ type }) => type === 'Ready')

describe('the status of a pod', () => {
  it('says which generation of the pod it is about, in each condition too', () => {
    const status = statusOf(3)
    expect(status).toMatchObject({ observedGeneration: 3 })
    expect(status.conditions).toEqual(Array(5).fill(expect.objectContaining({ observedGeneration: 3 })))
  })

  it('is ready when all readiness gates are open', () => {
    expect(ready(statusOf(1, [{ type: 'example.com/b', status: 'False' }]))).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message:
        'corresponding condition of pod readiness gate "example.com/a" does not exist., the status of pod readiness gate "example.com/b" is not "True", but False',
    })
    const open = [
      { type: 'example.com/a', status: 'True' },
      { type: 'example.com/b', status: 'True' },
    ]
    expect(ready(statusOf(1, open))).toMatchObject({ status: 'True' })
  })
})
