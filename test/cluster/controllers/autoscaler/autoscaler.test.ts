import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'
import {
  type HorizontalPodAutoscaler,
  type KubeClient,
  kinds,
  type ResourceType,
} from '../../../../src/kube/index.ts'

type Status = NonNullable<HorizontalPodAutoscaler['status']>

const podMetrics: ResourceType = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
}
const patience = { timeout: 20_000, interval: 200 }
const namespace = 'default'

let dataDir: string
let cluster: Cluster
let client: KubeClient

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-autoscaler-'))
  cluster = await startCluster({
    dataDir,
    config: {
      ...usualConfig,
      runtime: 'simulated',
      nodes: [{ name: 'n1', role: 'worker', capacity: { cpu: '64', memory: '64Gi' }, labels: {} }],
    },
    log: () => undefined,
  })
  client = cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  await vi.waitFor(async () => client.get(kinds.serviceAccounts, { namespace, name: 'default' }), patience)
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** A deployment of which every pod is said to use so much. */
async function deploy(name: string, replicas: number, memory: string): Promise<void> {
  const labels = { app: name }
  const annotations = {
    'simulated.arena.dev/cpu-usage': '100m',
    'simulated.arena.dev/memory-usage': memory,
  }
  const containers = [{ name: 'c', image: 'x', resources: { requests: { memory: '100Mi', cpu: '10m' } } }]
  await client.create(
    kinds.deployments,
    {
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels, annotations }, spec: { containers } },
      },
    },
    { namespace },
  )
}

async function autoscale(
  name: string,
  spec: Partial<NonNullable<HorizontalPodAutoscaler['spec']>>,
): Promise<void> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name }
  await client.create(
    kinds.horizontalPodAutoscalers,
    { metadata: { name }, spec: { scaleTargetRef, maxReplicas: 10, ...spec } },
    { namespace },
  )
}

/** Waits for a status of an autoscaler, with its conditions as `Type=Status Reason`. */
async function until(
  name: string,
  isWanted: (conditions: readonly string[], status: Status) => boolean,
): Promise<{ conditions: readonly string[]; status: Status }> {
  let last: unknown
  return vi.waitFor(async () => {
    const { status } = await client.get(kinds.horizontalPodAutoscalers, { namespace, name })
    last = status
    const conditions = (status?.conditions ?? []).map(
      (one) => `${one.type}=${one.status} ${one.reason ?? ''}`,
    )
    if (!status || !isWanted(conditions, status)) throw new Error(JSON.stringify(last))
    return { conditions, status }
  }, patience)
}

async function events(name: string): Promise<string[]> {
  const { items } = await client.list(kinds.events, { namespace })
  return items
    .filter(
      ({ involvedObject }) =>
        involvedObject.kind === 'HorizontalPodAutoscaler' && involvedObject.name === name,
    )
    .map(({ reason, message }) => `${reason}: ${message}`)
}

const memory = (averageUtilization: number): object => ({
  type: 'Resource',
  resource: { name: 'memory', target: { type: 'Utilization', averageUtilization } },
})

/** A controller looks again at once when what is asked of it changes, and else after 15 seconds. */
async function ask(name: string, spec: object): Promise<void> {
  const patch = { type: 'merge', patch: JSON.parse(JSON.stringify({ spec })) } as const
  await client.patch(kinds.horizontalPodAutoscalers, { namespace, name }, patch)
}

/** So many pods are ready, and measured: a container is from its first second on. */
async function running(name: string, count: number): Promise<void> {
  await vi.waitFor(async () => {
    const { status } = await client.get(kinds.deployments, { namespace, name })
    expect(status?.readyReplicas).toBe(count)
    const measured = await client.list(podMetrics, { namespace, labelSelector: `app=${name}` })
    expect(measured.items).toHaveLength(count)
  }, patience)
}

describe('an autoscaler', () => {
  test('makes a workload larger by the scale subresource, and says why', async () => {
    await deploy('grows', 2, '90Mi')
    await running('grows', 2)
    await autoscale('grows', { metrics: [memory(30) as never] })
    const { conditions, status } = await until('grows', (_all, { desiredReplicas }) => desiredReplicas > 2)
    expect(status).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 4,
      lastScaleTime: expect.stringMatching(/Z$/),
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'memory', current: { averageUtilization: 90, averageValue: '94371840' } },
        },
      ],
    })
    expect(conditions).toEqual([
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=True ScaleUpLimit',
    ])
    await running('grows', 4)
    await vi.waitFor(
      async () =>
        expect(await events('grows')).toContain(
          'SuccessfulRescale: New size: 4; reason: memory resource utilization (percentage of request) above target',
        ),
      patience,
    )
  }, 40_000)

  test('brings a workload into its bounds without asking for metrics', async () => {
    await deploy('bounds', 1, '90Mi')
    await autoscale('bounds', { minReplicas: 3, maxReplicas: 5 })
    await running('bounds', 3)
    await ask('bounds', { minReplicas: 1, maxReplicas: 2 })
    await running('bounds', 2)
    expect(await events('bounds')).toEqual(
      expect.arrayContaining([
        'SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
        'SuccessfulRescale: New size: 2; reason: Current number of replicas above Spec.MaxReplicas',
      ]),
    )
  })

  test('waits with making it smaller, unless its behavior says otherwise', async () => {
    await deploy('shrinks', 3, '10Mi')
    await running('shrinks', 3)
    await autoscale('shrinks', { metrics: [memory(100) as never] })
    const { conditions } = await until('shrinks', (all) =>
      all.includes('AbleToScale=True ScaleDownStabilized'),
    )
    expect(conditions).toContain('ScalingLimited=False DesiredWithinRange')
    await ask('shrinks', { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } })
    await running('shrinks', 1)
    expect(await events('shrinks')).toContain(
      'SuccessfulRescale: New size: 1; reason: All metrics below target',
    )
  })

  test('leaves alone what somebody has scaled to nothing', async () => {
    await deploy('off', 0, '10Mi')
    await autoscale('off', {})
    const { conditions, status } = await until('off', (all) => all.length === 2)
    expect(conditions).toEqual(['AbleToScale=True SucceededGetScale', 'ScalingActive=False ScalingDisabled'])
    expect(status.desiredReplicas).toBe(0)
  })

  test('says that there is nothing to scale', async () => {
    await autoscale('absent', {})
    const { status } = await until('absent', (all) => all.includes('AbleToScale=False FailedGetScale'))
    expect(status.conditions?.[0]?.message).toBe(
      'the HPA controller was unable to get the target\'s current scale: deployments.apps "absent" not found',
    )
    await ask('absent', { scaleTargetRef: { apiVersion: 'acme.io/v1', kind: 'Rocket', name: 'x' } })
    await until(
      'absent',
      (_all, { conditions }) =>
        conditions?.[0]?.message?.endsWith('no matches for kind "Rocket" in group "acme.io"') === true,
    )
  })

  test('says which metrics it cannot have', async () => {
    await deploy('blind', 1, '10Mi')
    await running('blind', 1)
    const target = { type: 'AverageValue', averageValue: '1' }
    await autoscale('blind', {
      metrics: [
        { type: 'Pods', pods: { metric: { name: 'hits' }, target } },
        {
          type: 'Object',
          object: { metric: { name: 'hits' }, target, describedObject: { kind: 'Service', name: 's' } },
        },
        { type: 'External', external: { metric: { name: 'queue' }, target } },
      ],
    })
    const { conditions, status } = await until('blind', (all) => all.length === 2)
    expect(conditions).toEqual([
      'AbleToScale=True SucceededGetScale',
      'ScalingActive=False FailedGetPodsMetric',
    ])
    expect(status.conditions?.[1]?.message).toBe(
      'the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    )
    await vi.waitFor(async () => {
      const reasons = (await events('blind')).map((text) => text.split(':')[0])
      expect(new Set(reasons)).toEqual(
        new Set([
          'FailedGetPodsMetric',
          'FailedGetObjectMetric',
          'FailedGetExternalMetric',
          'FailedComputeMetricsReplicas',
        ]),
      )
    }, patience)
  })

  test('does not make a workload smaller while one of its metrics is not there', async () => {
    await deploy('half', 4, '10Mi')
    await running('half', 4)
    const target = { type: 'AverageValue', averageValue: '1' }
    await autoscale('half', {
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
      metrics: [memory(100) as never, { type: 'Pods', pods: { metric: { name: 'hits' }, target } }],
    })
    await until('half', (all) => all.includes('ScalingActive=False FailedGetPodsMetric'))
    const { spec } = await client.get(kinds.deployments, { namespace, name: 'half' })
    expect(spec?.replicas).toBe(4)
  })

  test('measures one container of each pod', async () => {
    await deploy('part', 1, '50Mi')
    await running('part', 1)
    const target = { type: 'AverageValue', averageValue: '25Mi' }
    await autoscale('part', {
      metrics: [{ type: 'ContainerResource', containerResource: { name: 'memory', container: 'c', target } }],
    })
    await running('part', 2)
  })
})
