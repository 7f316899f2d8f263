import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SimulatedRuntime, simulatedAnnotations } from '../../../src/cluster/runtime/index.ts'
import { kinds } from '../../../src/kube/index.ts'
import { AgentFixture } from './agent-fixture.ts'
import { ManualClock } from './manual-clock.ts'

let fixture: AgentFixture
let clock: ManualClock

const container = { name: 'main', image: 'x', command: ['true'] }

function life(how: { durationMs?: number; exitCode?: number }): object {
  return {
    annotations: {
      ...(how.durationMs !== undefined && { [simulatedAnnotations.runDuration]: String(how.durationMs) }),
      ...(how.exitCode !== undefined && { [simulatedAnnotations.exitCode]: String(how.exitCode) }),
    },
  }
}

beforeEach(async () => {
  clock = new ManualClock()
  const runtime = new SimulatedRuntime({ clock })
  fixture = await AgentFixture.start({
    clock,
    nodes: () => [
      {
        name: 'worker01',
        capacity: { cpu: '4', memory: '30Gi', 'nvidia.com/gpu': '1' },
        labels: { zone: 'a' },
        runtime,
      },
      { name: 'master01', isControlPlane: true, capacity: { cpu: '4', memory: '8Gi' }, runtime },
    ],
  })
})

afterEach(async () => {
  await fixture.close()
})

describe('nodes', () => {
  test('are registered with capacity, labels, taints, conditions and a lease', async () => {
    const worker = await fixture.client.get(kinds.nodes, { name: 'worker01' })
    expect(worker.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'worker01',
      'kubernetes.io/os': 'linux',
      'arena.dev/runtime': 'simulated',
      zone: 'a',
    })
    expect(worker.status?.allocatable).toEqual({
      cpu: '4',
      memory: '30Gi',
      pods: '110',
      'nvidia.com/gpu': '1',
    })
    expect(worker.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True' })
    const master = await fixture.client.get(kinds.nodes, { name: 'master01' })
    expect(master.metadata.labels).toHaveProperty('node-role.kubernetes.io/control-plane', '')
    expect(master.spec?.taints).toContainEqual(
      expect.objectContaining({ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }),
    )
    await expect
      .poll(async () =>
        fixture.client.get(kinds.leases, { namespace: 'kube-node-lease', name: 'worker01' }).then(
          ({ spec }) => spec?.holderIdentity,
          () => undefined,
        ),
      )
      .toBe('worker01')
    const lease = await fixture.client.get(kinds.leases, { namespace: 'kube-node-lease', name: 'worker01' })
    expect(lease.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: 'worker01', uid: worker.metadata.uid },
    ])
  })
})

describe('the life of a pod', () => {
  test('has its container made anew from the image that the pod asks for by now', async () => {
    await fixture.create('renewed', { restartPolicy: 'Never', containers: [container] }, life({}))
    const first = await fixture.until('renewed', ({ status }) => status?.phase === 'Running')
    expect(first.status?.containerStatuses?.[0]).toMatchObject({ image: 'x', restartCount: 0 })
    await fixture.client.patch(
      kinds.pods,
      { namespace: first.metadata.namespace ?? '', name: 'renewed' },
      { type: 'strategic', patch: { spec: { containers: [{ name: 'main', image: 'y' }] } } },
    )
    const next = await fixture.until(
      'renewed',
      ({ status }) =>
        status?.containerStatuses?.[0]?.image === 'y' &&
        status.containerStatuses[0].state?.running !== undefined,
    )
    expect(next.status).toMatchObject({ phase: 'Running', observedGeneration: next.metadata.generation })
    expect(next.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true })
  })

  test('goes from Pending by Running to Succeeded', async () => {
    await fixture.create(
      'job',
      { restartPolicy: 'Never', containers: [container] },
      life({ durationMs: 5000 }),
    )
    const running = await fixture.phase('job', 'Running')
    expect(running.status?.podIP).toMatch(/^127\.\d+\.\d+\.\d+$/)
    expect(running.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    expect(running.status?.containerStatuses?.[0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
    })
    clock.advance(5000)
    const ended = await fixture.phase('job', 'Succeeded')
    expect(ended.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
    })
    expect(ended.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PodCompleted',
    })
  })

  test('ends as Failed when it is not to be restarted', async () => {
    await fixture.create(
      'job',
      { restartPolicy: 'Never', containers: [container] },
      life({ durationMs: 1, exitCode: 7 }),
    )
    await fixture.phase('job', 'Running')
    clock.advance(10)
    const ended = await fixture.phase('job', 'Failed')
    expect(ended.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 7,
      reason: 'Error',
    })
  })

  test('goes through restarts that are put off longer and longer', async () => {
    await fixture.create(
      'job',
      { restartPolicy: 'OnFailure', containers: [container] },
      life({ durationMs: 1, exitCode: 1 }),
    )
    await fixture.phase('job', 'Running')
    const restarts = async (count: number): Promise<void> => {
      await fixture.until('job', ({ status }) => {
        const [one] = status?.containerStatuses ?? []
        return one?.restartCount === count && one.state?.running !== undefined
      })
    }
    clock.advance(5)
    await restarts(1)
    for (const [count, seconds] of [
      [2, 10],
      [3, 20],
      [4, 40],
      [5, 80],
      [6, 160],
      [7, 300],
      [8, 300],
    ] as const) {
      clock.advance(5)
      const pod = await fixture.until(
        'job',
        ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      )
      const [one] = pod.status?.containerStatuses ?? []
      const delay = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
      expect(one?.state?.waiting?.message).toMatch(
        `back-off ${delay} restarting failed container=main pod=job_default(`,
      )
      expect(one?.lastState?.terminated).toMatchObject({ exitCode: 1 })
      expect(pod.status?.phase).toBe('Running')
      clock.advance(seconds * 1000 - 100)
      expect((await fixture.get('job')).status?.containerStatuses?.[0]?.restartCount).toBe(count - 1)
      clock.advance(100)
      await restarts(count)
    }
    expect(await fixture.event('job', 'BackOff')).toContain('Back-off restarting failed container main')
  })

  test('runs init containers one after the other before the rest', async () => {
    await fixture.create(
      'job',
      {
        restartPolicy: 'Never',
        initContainers: [
          { ...container, name: 'first' },
          { ...container, name: 'second' },
        ],
        containers: [container],
      },
      life({ durationMs: 1000 }),
    )
    const isRunning =
      (name: string) =>
      (pod: { status?: { initContainerStatuses?: { name: string; state?: { running?: unknown } }[] } }) =>
        pod.status?.initContainerStatuses?.find((one) => one.name === name)?.state?.running !== undefined
    const first = await fixture.until('job', isRunning('first'))
    expect(first.status?.phase).toBe('Pending')
    expect(first.status?.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
      status: 'False',
      message: 'containers with incomplete status: [first second]',
    })
    expect(first.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('PodInitializing')
    clock.advance(1000)
    await fixture.until('job', isRunning('second'))
    clock.advance(1000)
    await fixture.phase('job', 'Running')
    clock.advance(1000)
    await fixture.phase('job', 'Succeeded')
  })

  test('fails with its init container', async () => {
    await fixture.create(
      'job',
      { restartPolicy: 'Never', initContainers: [{ ...container, name: 'first' }], containers: [container] },
      life({ durationMs: 1, exitCode: 2 }),
    )
    await fixture.until(
      'job',
      ({ status }) => status?.initContainerStatuses?.[0]?.state?.running !== undefined,
    )
    clock.advance(1)
    const pod = await fixture.phase('job', 'Failed')
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('PodInitializing')
  })

  test('has each container come back as that says for itself, or as its exit code is named', async () => {
    const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }]
    const pod = (main: object) => ({ restartPolicy: 'Never', containers: [{ ...container, ...main }] })
    const ends = (exitCode: number) => life({ durationMs: 1, exitCode })
    await fixture.create('named', pod({ restartPolicy: 'Never', restartPolicyRules: rules }), ends(42))
    await fixture.create('unnamed', pod({ restartPolicy: 'Never', restartPolicyRules: rules }), ends(41))
    await fixture.create('willing', pod({ restartPolicy: 'OnFailure' }), ends(1))
    await fixture.create('done', pod({ restartPolicy: 'OnFailure' }), ends(0))
    for (const name of ['named', 'unnamed', 'willing', 'done']) await fixture.phase(name, 'Running')
    clock.advance(1)
    await fixture.phase('unnamed', 'Failed')
    await fixture.phase('done', 'Succeeded')
    for (const name of ['named', 'willing']) {
      const back = await fixture.until(
        name,
        ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1,
      )
      expect(back.status?.phase).toBe('Running')
    }
  })

  test('is over when it takes longer than it may', async () => {
    await fixture.create('job', {
      restartPolicy: 'Never',
      activeDeadlineSeconds: 60,
      containers: [container],
    })
    await fixture.phase('job', 'Running')
    clock.advance(60_000)
    const pod = await fixture.phase('job', 'Failed')
    expect(pod.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    })
  })

  test('is over by a time that it was given while it ran', async () => {
    await fixture.create('job', { restartPolicy: 'Never', containers: [container] })
    await fixture.phase('job', 'Running')
    const deadline = (activeDeadlineSeconds: number) =>
      fixture.client.patch(
        kinds.pods,
        { namespace: 'default', name: 'job' },
        { type: 'merge', patch: { spec: { activeDeadlineSeconds } } },
      )
    await deadline(60)
    await deadline(5)
    await fixture.until(
      'job',
      ({ status }) =>
        status !== undefined && 'observedGeneration' in status && status.observedGeneration === 3,
    )
    clock.advance(5_000)
    expect((await fixture.phase('job', 'Failed')).status?.reason).toBe('DeadlineExceeded')
  })

  test('starts its sidecars before the rest', async () => {
    await fixture.create('job', {
      restartPolicy: 'Never',
      initContainers: [{ ...container, name: 'helper', restartPolicy: 'Always' }],
      containers: [container],
    })
    const running = await fixture.phase('job', 'Running')
    expect(running.status?.initContainerStatuses?.[0]?.state).toHaveProperty('running')
  })
})

describe('a pod that names its node itself', () => {
  test('is turned away where it has no room, no free port, or is not meant to be', async () => {
    const asking = (cpu: string) => ({ ...container, resources: { requests: { cpu } } })
    await fixture.create('first', {
      containers: [{ ...asking('3'), ports: [{ containerPort: 80, hostPort: 8080 }] }],
    })
    await fixture.phase('first', 'Running')
    const turnedAway = async (name: string, spec: object): Promise<unknown> => {
      await fixture.create(name, { containers: [container], ...spec })
      const { status } = await fixture.phase(name, 'Failed')
      expect(status?.containerStatuses).toBeUndefined()
      expect(await fixture.event(name, status?.reason ?? '')).toBe(
        status?.message?.slice('Pod was rejected: '.length),
      )
      return [status?.reason, status?.message]
    }
    expect(await turnedAway('large', { containers: [asking('1500m')] })).toEqual([
      'OutOfcpu',
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000",
    ])
    const port = { containers: [{ ...container, ports: [{ containerPort: 81, hostPort: 8080 }] }] }
    expect(await turnedAway('port', port)).toEqual([
      'NodePorts',
      "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ])
    expect(await turnedAway('elsewhere', { nodeSelector: { zone: 'b' } })).toEqual([
      'NodeAffinity',
      "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ])
    const sysctls = { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '65536' }] } }
    expect(await turnedAway('unsafe', sysctls)).toEqual([
      'SysctlForbidden',
      'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    ])
    await fixture.remove('large')
    await expect.poll(async () => fixture.isGone('large')).toBe(true)
    await fixture.create('small', { containers: [asking('1')] })
    await fixture.phase('small', 'Running')
  })

  test('stays away from a node whose taint would have it leave', async () => {
    const taints = [{ key: 'sick', effect: 'NoExecute' as const }]
    await fixture.client.patch(
      kinds.nodes,
      { name: 'worker01' },
      { type: 'merge', patch: { spec: { taints } } },
    )
    await fixture.create('job', { containers: [container] })
    expect((await fixture.phase('job', 'Failed')).status?.reason).toBe('TaintToleration')
    await fixture.create('nurse', {
      containers: [container],
      tolerations: [{ key: 'sick', operator: 'Exists' }],
    })
    await fixture.phase('nurse', 'Running')
  })
})

describe('deletion', () => {
  test('ends a pod and lets the API forget it', async () => {
    await fixture.create('job', { containers: [container] })
    await fixture.phase('job', 'Running')
    await fixture.remove('job')
    await expect.poll(async () => fixture.isGone('job')).toBe(true)
  })

  test('takes a pod that waits for a restart', async () => {
    await fixture.create('job', { containers: [container] }, life({ durationMs: 1, exitCode: 1 }))
    await fixture.phase('job', 'Running')
    clock.advance(1)
    await fixture.until('job', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1)
    clock.advance(1)
    await fixture.until('job', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting !== undefined)
    await fixture.remove('job')
    await expect.poll(async () => fixture.isGone('job')).toBe(true)
  })

  test('gives the GPU to the next pod', async () => {
    const limits = { limits: { 'nvidia.com/gpu': '1' } }
    for (const name of ['one', 'two']) {
      await fixture.create(name, { containers: [{ ...container, resources: limits }] })
      await fixture.phase(name, 'Running')
      await fixture.remove(name)
      await expect.poll(async () => fixture.isGone(name)).toBe(true)
    }
  })
})
