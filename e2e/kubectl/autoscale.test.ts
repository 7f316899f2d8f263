import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OneNode, startOneNode } from './one-node.ts'

const labels = { app: 'busy' }

/** Works for a while and then rests, so that a test that breaks off leaves the machine at peace. */
const command = ['sh', '-c', 'timeout 100 sh -c "while :; do :; done"; exec sleep 600']

describe('kubectl autoscale', () => {
  let node: OneNode

  beforeAll(async () => {
    node = await startOneNode()
    const resources = { requests: { cpu: '10m' } }
    await node.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'busy' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'main', image: 'busybox', command, resources }],
          },
        },
      },
    })
  })

  afterAll(async () => {
    await node.must('delete hpa,deployment --all')
    await node.close()
  })

  it('makes an autoscaler, which both versions show', async () => {
    expect(await node.must('autoscale deployment busy --min=1 --max=2 --cpu-percent=50')).toContain(
      'horizontalpodautoscaler.autoscaling/busy autoscaled',
    )
    expect(await node.must('get hpa')).toMatch(
      /^NAME\s+REFERENCE\s+TARGETS\s+MINPODS\s+MAXPODS\s+REPLICAS\s+AGE\nbusy\s+Deployment\/busy\s+cpu: \S+\/50%\s+1\s+2\s/,
    )
    const field = 'jsonpath={.spec.targetCPUUtilizationPercentage}'
    expect(await node.must('get horizontalpodautoscalers.v1.autoscaling busy -o', field)).toBe('50')
    expect(
      await node.must('get hpa busy -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}'),
    ).toBe('50')
  })

  it('follows what the pods really use', async () => {
    await node.must('wait hpa/busy --for=jsonpath={.status.desiredReplicas}=2 --timeout=90s')
    await node.must('wait deployment/busy --for=jsonpath={.status.readyReplicas}=2 --timeout=20s')
    const described = await node.must('describe hpa busy')
    expect(described).toMatch(
      /SuccessfulRescale .*New size: 2; reason: cpu resource utilization \(percentage of request\) above target/,
    )
    expect(described).toMatch(/ScalingActive\s+True\s+ValidMetricFound/)
  }, 150_000)
})
