import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SimulatedRuntime } from '../../../src/cluster/runtime/index.ts'
import { kinds, type Persisted, type Pod } from '../../../src/kube/index.ts'
import { AgentFixture } from './agent-fixture.ts'

const user = { runAsUser: 20001, runAsGroup: 10001 }

async function add(fixture: AgentFixture, name: string, container: object): Promise<void> {
  await fixture.client.patch(
    kinds.pods,
    { namespace: 'default', name },
    {
      type: 'strategic',
      patch: { spec: { ephemeralContainers: [{ image: 'busybox', ...container }] } } as never,
    },
    { subresource: 'ephemeralcontainers' },
  )
}

const statusOf = (pod: Persisted<Pod>, name: string): object | undefined =>
  pod.status?.ephemeralContainerStatuses?.find((one) => one.name === name)

describe('a container added to a pod of processes', () => {
  let fixture: AgentFixture

  beforeAll(async () => {
    fixture = await AgentFixture.start()
  })
  afterAll(async () => {
    await fixture.close()
  })

  const running = async (name: string): Promise<void> => {
    await fixture.create(name, {
      restartPolicy: 'Never',
      securityContext: user,
      terminationGracePeriodSeconds: 2,
      volumes: [{ name: 'shared', emptyDir: {} }],
      containers: [
        {
          name: 'main',
          image: 'x',
          command: ['sh', '-c', 'echo from main > /data/file; trap exit TERM; while :; do sleep 0.1; done'],
          volumeMounts: [{ name: 'shared', mountPath: '/data' }],
        },
      ],
    })
    await fixture.phase(name, 'Running')
  }

  test('runs beside the others, with their host name, user and volumes, once, and has a log', async () => {
    await running('seen')
    await add(fixture, 'seen', {
      name: 'look',
      command: ['sh', '-c', 'hostname; id -u; until cat /mnt/file; do sleep 0.1; done; exit 3'],
      volumeMounts: [{ name: 'shared', mountPath: '/mnt' }],
    })
    const pod = await fixture.until('seen', (one) =>
      JSON.stringify(statusOf(one, 'look') ?? {}).includes('"terminated"'),
    )
    expect(statusOf(pod, 'look')).toMatchObject({
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: 3, reason: 'Error' } },
    })
    expect(pod.status?.phase).toBe('Running')
    expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    expect(await fixture.log('seen', 'look')).toBe('seen\n20001\nfrom main\n')
    // The agent's own end does not run it again.
    await fixture.restartAgent()
    await add(fixture, 'seen', { name: 'again', command: ['true'], targetContainerName: 'main' })
    const later = await fixture.until('seen', (one) =>
      JSON.stringify(statusOf(one, 'again') ?? {}).includes('"Completed"'),
    )
    expect(statusOf(later, 'look')).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 3 } } })
    expect(await fixture.event('seen', 'TargetNotJoined')).toContain('does not see the processes of "main"')
  })

  test('ends with the pod', async () => {
    await running('ended')
    await add(fixture, 'ended', { name: 'stays', command: ['sleep', '1000'] })
    await fixture.until('ended', (one) => JSON.stringify(statusOf(one, 'stays') ?? {}).includes('"running"'))
    await fixture.remove('ended', 1)
    await expect.poll(async () => fixture.isGone('ended'), { timeout: 20_000 }).toBe(true)
  })
})

describe('a container added to a pod that is only played', () => {
  let fixture: AgentFixture
  afterEach(async () => {
    await fixture.close()
  })

  test('is played', async () => {
    const runtime = new SimulatedRuntime()
    fixture = await AgentFixture.start({
      nodes: () => [{ name: 'worker01', capacity: { cpu: '4', memory: '30Gi' }, runtime }],
    })
    await fixture.create('p', { containers: [{ name: 'main', image: 'x' }] })
    await fixture.phase('p', 'Running')
    await add(fixture, 'p', { name: 'look' })
    const pod = await fixture.until('p', (one) =>
      JSON.stringify(statusOf(one, 'look') ?? {}).includes('"running"'),
    )
    expect(pod.status?.containerStatuses?.map(({ name }) => name)).toEqual(['main'])
    expect(await fixture.log('p', 'look')).toContain('simulated')
  })
})
