import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiOfKinds, causesOf, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const path = (version: string, name = ''): string =>
  `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers${name && `/${name}`}`

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

async function create(version: string, name: string, spec: object, annotations?: object): Promise<object> {
  const body = { metadata: { name, ...(annotations && { annotations }) }, spec }
  const made = await api.send('POST', path(version), body)
  expect(made.status, messageOf(made)).toBe(201)
  return made.body
}

describe('an autoscaler', () => {
  test('aims at 80 % of the CPU and at no less than one replica when it does not say', async () => {
    expect(await create('v2', 'plain', { scaleTargetRef, maxReplicas: 3 })).toMatchObject({
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
      status: { currentMetrics: null, desiredReplicas: 0 },
    })
  })

  test('has its behavior filled in where it has one', async () => {
    const behavior = { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } }
    const made = await create('v2', 'slow', { scaleTargetRef, maxReplicas: 3, behavior })
    expect((made as { spec: object }).spec).toMatchObject({
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Pods', value: 4, periodSeconds: 15 },
            { type: 'Percent', value: 100, periodSeconds: 15 },
          ],
        },
        scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
      },
    })
  })

  test('is the same object in version 1, which keeps in annotations what it has no fields for', async () => {
    const metrics = [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      },
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
      },
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
          metric: { name: 'requests', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'Value', value: '2k' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
      },
    ]
    const behavior = { scaleUp: { stabilizationWindowSeconds: 30 } }
    const made = await create(
      'v2',
      'rich',
      { scaleTargetRef, maxReplicas: 9, metrics, behavior },
      { own: 'x' },
    )
    const old = (await api.send('GET', path('v1', 'rich'))).body
    expect(old).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 9, targetCPUUtilizationPercentage: 60 },
      status: { currentReplicas: 0, desiredReplicas: 0 },
    })
    const { annotations } = old['metadata'] as { annotations: Record<string, string> }
    expect(JSON.parse(annotations['autoscaling.alpha.kubernetes.io/metrics'] ?? '')).toEqual([
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '1Gi' } },
      {
        type: 'Object',
        object: {
          target: { apiVersion: 'v1', kind: 'Service', name: 'web' },
          metricName: 'requests',
          selector: { matchLabels: { a: 'b' } },
          targetValue: '2k',
        },
      },
      { type: 'External', external: { metricName: 'queue', targetAverageValue: '30' } },
    ])
    expect(annotations['autoscaling.alpha.kubernetes.io/behavior']).toContain('"ScaleUp":{')
    // What goes through version 1 and back loses nothing.
    const spec = old['spec'] as object
    // Whatever version is there: the controller writes what it finds, too.
    const { resourceVersion: _version, ...metadata } = old['metadata'] as { resourceVersion: string }
    const body = { ...old, metadata, spec: { ...spec, maxReplicas: 10 } }
    const updated = await api.send('PUT', path('v1', 'rich'), body)
    expect(updated.status, messageOf(updated)).toBe(200)
    const now = (await api.send('GET', path('v2', 'rich'))).body
    expect(now['spec']).toEqual({ ...(made as { spec: object }).spec, maxReplicas: 10 })
    expect((now['metadata'] as { annotations: object }).annotations).toEqual({ own: 'x' })
  })

  test('takes from the annotations of version 1 nothing that has not its form', async () => {
    const annotations = {
      'autoscaling.alpha.kubernetes.io/metrics': '[{"type":7,"resource":{"name":{"a":1}}}]',
      'autoscaling.alpha.kubernetes.io/behavior': '{"ScaleUp":"fast"}',
      'autoscaling.alpha.kubernetes.io/conditions': 'no JSON',
      'autoscaling.alpha.kubernetes.io/current-metrics': '{"__proto__":[]}',
    }
    await create(
      'v1',
      'odd',
      { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 40 },
      annotations,
    )
    const { spec, metadata } = (await api.send('GET', path('v2', 'odd'))).body as {
      spec: object
      metadata: object
    }
    expect(spec).toEqual({
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 40 } },
        },
      ],
    })
    expect(metadata).not.toHaveProperty('annotations')
  })

  test('is shown with what it aims at', async () => {
    const memory = { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } }
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
    const pods = { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '5' } }
    await create('v2', 'shown', {
      scaleTargetRef,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: cpu },
        { type: 'Resource', resource: memory },
        { type: 'Pods', pods },
      ],
    })
    for (const version of ['v1', 'v2']) {
      const { columns, cells } = await tableOf(api, `${path(version)}?fieldSelector=metadata.name%3Dshown`)
      expect(columns).toEqual(['Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'])
      const [row] = [cells.slice(0, 6)]
      expect(row).toEqual([
        'shown',
        'Deployment/web',
        'cpu: <unknown>/50%, memory: <unknown>/100Mi + 1 more...',
        '1',
        5,
        0,
      ])
    }
  })

  test('is refused with every fault that it has', async () => {
    const refused = await api.send('POST', path('v2'), {
      metadata: { name: 'bad' },
      spec: {
        scaleTargetRef: { kind: 'a/b', name: '' },
        minReplicas: 0,
        maxReplicas: -1,
        metrics: [
          { type: 'Resource' },
          { type: 'Nonsense', resource: { name: '', target: { type: 'Sum', averageUtilization: 0 } } },
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: 'A',
              target: { type: 'Utilization', averageUtilization: 5, averageValue: '0' },
            },
            external: { metric: { name: '' }, target: { type: 'Value', value: '1', averageValue: '1' } },
          },
        ],
        behavior: {
          scaleUp: { stabilizationWindowSeconds: -1, selectPolicy: 'Sum', policies: [] },
          scaleDown: {
            stabilizationWindowSeconds: 4000,
            policies: [{ type: 'Half', value: 0, periodSeconds: 2000 }],
          },
        },
      },
    })
    expect(refused.status).toBe(422)
    expect(causesOf(refused)).toMatchInlineSnapshot(`
      [
        [
          "spec.minReplicas",
          "Invalid value: 0: must be greater than or equal to 1",
        ],
        [
          "spec.maxReplicas",
          "Invalid value: -1: must be greater than 0",
        ],
        [
          "spec.maxReplicas",
          "Invalid value: -1: must be greater than or equal to \`minReplicas\`",
        ],
        [
          "spec.scaleTargetRef.kind",
          "Invalid value: "a/b": may not contain '/'",
        ],
        [
          "spec.scaleTargetRef.name",
          "Required value",
        ],
        [
          "spec.metrics[0].resource",
          "Required value: must populate information for the given metric source",
        ],
        [
          "spec.metrics[1].type",
          "Unsupported value: "Nonsense": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"",
        ],
        [
          "spec.metrics[1].resource.name",
          "Required value: must specify a resource name",
        ],
        [
          "spec.metrics[1].resource.target.type",
          "Invalid value: "Sum": must be either Utilization, Value, or AverageValue",
        ],
        [
          "spec.metrics[1].resource.target.averageUtilization",
          "Invalid value: 0: must be greater than 0",
        ],
        [
          "spec.metrics[1].type",
          "Unsupported value: "Nonsense": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"",
        ],
        [
          "spec.metrics[2].external.metric.name",
          "Required value: must specify a metric name",
        ],
        [
          "spec.metrics[2].external.target.value",
          "Forbidden: may not set both a target value for metric and a per-pod target",
        ],
        [
          "spec.metrics[2].external",
          "Forbidden: must populate the given metric source only",
        ],
        [
          "spec.metrics",
          "Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
        ],
        [
          "spec.behavior.scaleUp.stabilizationWindowSeconds",
          "Invalid value: -1: must be greater than or equal to zero",
        ],
        [
          "spec.behavior.scaleUp.selectPolicy",
          "Unsupported value: "Sum": supported values: "Disabled", "Max", "Min"",
        ],
        [
          "spec.behavior.scaleDown.stabilizationWindowSeconds",
          "Invalid value: 4000: must be less than or equal to 3600",
        ],
        [
          "spec.behavior.scaleDown.policies[0].type",
          "Unsupported value: "Half": supported values: "Percent", "Pods"",
        ],
        [
          "spec.behavior.scaleDown.policies[0].value",
          "Invalid value: 0: must be greater than zero",
        ],
        [
          "spec.behavior.scaleDown.policies[0].periodSeconds",
          "Invalid value: 2000: must be less than or equal to 1800",
        ],
      ]
    `)
  })

  test('is refused in version 1 by the same rules', async () => {
    const spec = { scaleTargetRef, maxReplicas: 2, minReplicas: 3, targetCPUUtilizationPercentage: -1 }
    const refused = await api.send('POST', path('v1'), { metadata: { name: 'bad' }, spec })
    expect(causesOf(refused)).toEqual([
      ['spec.maxReplicas', 'Invalid value: 2: must be greater than or equal to `minReplicas`'],
      ['spec.metrics[0].resource.target.averageUtilization', 'Invalid value: -1: must be greater than 0'],
    ])
  })

  test('has a status of its own', async () => {
    await create('v2', 'state', { scaleTargetRef, maxReplicas: 3 })
    const patch = { spec: { maxReplicas: 9 }, status: { desiredReplicas: 2, currentReplicas: 1 } }
    const type = 'application/merge-patch+json'
    const changed = await api.send('PATCH', `${path('v2', 'state')}/status`, patch, { type })
    expect(changed.body).toMatchObject({
      spec: { maxReplicas: 3 },
      status: { currentMetrics: null, desiredReplicas: 2, currentReplicas: 1 },
    })
    const bad = await api.send(
      'PATCH',
      `${path('v2', 'state')}/status`,
      { status: { currentReplicas: -1 } },
      { type },
    )
    expect(causesOf(bad)).toEqual([
      ['status.currentReplicas', 'Invalid value: -1: must be greater than or equal to 0'],
    ])
  })
})

test('discovery prefers version 2 and knows status and short name', async () => {
  const group = (await api.send('GET', '/apis/autoscaling')).body
  expect(group).toMatchObject({
    versions: [{ version: 'v2' }, { version: 'v1' }],
    preferredVersion: { groupVersion: 'autoscaling/v2' },
  })
  const { body } = await api.send('GET', '/apis/autoscaling/v2')
  expect(body['resources']).toMatchObject([
    { name: 'horizontalpodautoscalers', shortNames: ['hpa'], categories: ['all'] },
    { name: 'horizontalpodautoscalers/status' },
  ])
})
