import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { SimulatedRuntime } from '../../../src/cluster/runtime/index.ts'
import { kinds, type Persisted, type Pod } from '../../../src/kube/index.ts'
import { AgentFixture } from './agent-fixture.ts'

let fixture: AgentFixture
afterEach(async () => {
  await fixture.close()
})

async function resize(name: string, resources: object): Promise<void> {
  await fixture.client.patch(
    kinds.pods,
    { namespace: 'default', name },
    { type: 'strategic', patch: { spec: { containers: [{ name: 'main', resources }] } } as never },
    { subresource: 'resize' },
  )
}

const main = (pod: Persisted<Pod>) => pod.status?.containerStatuses?.[0]
const pending = (pod: Persisted<Pod>) =>
  pod.status?.conditions?.find(({ type }) => type === 'PodResizePending')

/** Of a container's control group, in whichever version this machine has. */
function memoryLimit(uid: string, attempt = 0): string | undefined {
  const group = join('arena', `${uid}.main.${attempt}`)
  for (const file of [
    join('/sys/fs/cgroup/memory', group, 'memory.limit_in_bytes'),
    join('/sys/fs/cgroup', group, 'memory.max'),
  ])
    if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  return undefined
}

const mebibytes = (count: number): string => String(count * 1024 * 1024)

test('a running process gets its new limits, and begins anew only where its policy says so', async ({
  skip,
}) => {
  fixture = await AgentFixture.start()
  const { metadata } = await fixture.create('grown', {
    securityContext: { runAsUser: 20001, runAsGroup: 10001 },
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: 'x',
        command: ['sleep', '1000'],
        resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
      },
    ],
  })
  const before = await fixture.until('grown', (pod) => main(pod)?.resources !== undefined)
  expect(main(before)).toMatchObject({
    allocatedResources: { cpu: '100m', memory: '64Mi' },
    resources: { limits: { cpu: '1', memory: '128Mi' } },
  })
  if (memoryLimit(metadata.uid) === undefined) skip('control groups cannot be used here')
  expect(memoryLimit(metadata.uid)).toBe(mebibytes(128))
  await resize('grown', { limits: { memory: '256Mi' } })
  const grown = await fixture.until('grown', (pod) => main(pod)?.resources?.limits?.['memory'] === '256Mi')
  expect(main(grown)?.restartCount).toBe(0)
  expect(memoryLimit(metadata.uid)).toBe(mebibytes(256))
  await resize('grown', { limits: { cpu: '2' } })
  const anew = await fixture.until(
    'grown',
    (pod) => main(pod)?.restartCount === 1 && main(pod)?.state?.running !== undefined,
  )
  expect(main(anew)?.resources?.limits).toMatchObject({ cpu: '2', memory: '256Mi' })
  expect(memoryLimit(metadata.uid, 1)).toBe(mebibytes(256))
  // What an agent has put in force is known to the next.
  await fixture.restartAgent()
  await resize('grown', { requests: { memory: '32Mi' } })
  const after = await fixture.until('grown', (pod) => main(pod)?.allocatedResources?.['memory'] === '32Mi')
  expect(main(after)?.restartCount).toBe(1)
  // Less than it uses is not possible, and is not claimed.
  await resize('grown', { requests: { memory: '1' }, limits: { memory: '1' } })
  const stuck = await fixture.until(
    'grown',
    (pod) => pod.status?.conditions?.some(({ type }) => type === 'PodResizeInProgress') ?? false,
  )
  expect(stuck.status?.conditions?.find(({ type }) => type === 'PodResizeInProgress')).toMatchObject({
    status: 'True',
    reason: 'Error',
    message: expect.stringContaining('below current usage'),
  })
  expect(main(stuck)?.resources?.limits?.['memory']).toBe('256Mi')
  expect(memoryLimit(metadata.uid, 1)).toBe(mebibytes(256))
}, 60_000)

test('what the node never has is infeasible, what others have is deferred, and the condition goes', async () => {
  const runtime = new SimulatedRuntime()
  fixture = await AgentFixture.start({
    nodes: () => [{ name: 'worker01', capacity: { cpu: '4', memory: '8Gi' }, runtime }],
  })
  const container = { name: 'main', image: 'x', resources: { requests: { cpu: '2' } } }
  for (const name of ['one', 'two']) {
    await fixture.create(name, { containers: [container] })
    await fixture.phase(name, 'Running')
  }
  await resize('one', { requests: { cpu: '5' } })
  const never = await fixture.until('one', (pod) => pending(pod) !== undefined)
  expect(pending(never)).toMatchObject({
    status: 'True',
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  })
  expect(main(never)?.allocatedResources).toEqual({ cpu: '2' })
  await resize('one', { requests: { cpu: '3' } })
  const later = await fixture.until('one', (pod) => pending(pod)?.reason === 'Deferred')
  expect(pending(later)?.message).toBe(
    "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
  )
  await resize('one', { requests: { cpu: '1' } })
  const done = await fixture.until('one', (pod) => main(pod)?.allocatedResources?.['cpu'] === '1')
  expect(pending(await fixture.until('one', (pod) => pending(pod) === undefined))).toBeUndefined()
  expect(done.status?.phase).toBe('Running')
}, 30_000)
