import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OneNode, startOneNode } from './one-node.ts'

const containers = [{ name: 'main', image: 'busybox:1', command: ['sleep', '3600'] }]
const labels = { app: 'logs' }
const daemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'logs', annotations: { 'kubernetes.io/change-cause': 'first' } },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } },
  },
}

describe('kubectl and sets of pods', () => {
  let node: OneNode

  beforeAll(async () => {
    node = await startOneNode()
  })
  afterAll(async () => {
    await node.close()
  })

  it('rolls a daemon set, tells its history, and brings it back', async () => {
    await node.apply(daemonSet)
    const done = 'daemon set "logs" successfully rolled out'
    expect(await node.must('rollout status ds/logs --timeout=30s')).toContain(done)
    expect(await node.must('get ds --no-headers')).toMatch(/^logs +1 +1 +1 +1 +1 +<none>/)
    await node.must('annotate ds logs kubernetes.io/change-cause=second --overwrite')
    await node.must('set image ds/logs main=busybox:2')
    expect(await node.must('rollout status ds/logs --timeout=30s')).toContain(done)
    expect(await node.must('rollout history ds/logs')).toMatch(/\n1 +first\n2 +second\n/)
    expect(await node.must('rollout undo ds/logs')).toContain('daemonset.apps/logs rolled back')
    expect(await node.must('rollout status ds/logs --timeout=30s')).toContain(done)
    expect(await node.must('get ds logs -o jsonpath={..image}')).toBe('busybox:1')
    expect(await node.must('rollout history ds/logs')).toMatch(/\n2 +second\n3 +first\n/)
  })

  it('drains a node of all but what belongs on every node', async () => {
    const refused = await node.kubectl('drain node1')
    expect(refused.status).toBe(1)
    expect(refused.output).toContain(
      'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/logs-',
    )
    const drained = await node.kubectl('drain node1 --ignore-daemonsets')
    expect(drained.status, drained.output).toBe(0)
    expect(drained.output).toContain('Warning: ignoring DaemonSet-managed Pods: default/logs-')
    expect(drained.output).toContain('node/node1 drained')
    expect(await node.must('get pods --no-headers')).toContain('Running')
    await node.must('uncordon node1')
  })

  it('prunes, of all kinds that kubectl looks through by itself, what is applied no longer', async () => {
    const set = { set: 'one' }
    const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', labels: set } }
    const spec = { ...daemonSet.spec }
    const metadata = { name: 'gone', labels: set }
    const pods = {
      selector: { matchLabels: { app: 'gone' } },
      template: {
        metadata: { labels: { app: 'gone' } },
        spec: { terminationGracePeriodSeconds: 1, containers },
      },
    }
    const objects = [
      settings,
      { apiVersion: 'v1', kind: 'Secret', metadata },
      { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { ...spec, ...pods } },
      { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { serviceName: 'gone', ...pods } },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: pods },
    ]
    const file = join(node.stage.home('admin'), 'prune.yaml')
    const apply = async (items: readonly object[]): Promise<string> => {
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
      return node.must(`apply --prune -l set=one -f ${file}`)
    }
    expect(await apply(objects)).toContain('statefulset.apps/gone created')
    const said = await apply([settings])
    expect(said.trim().split('\n').sort()).toEqual([
      'configmap/kept unchanged',
      'daemonset.apps/gone pruned',
      'deployment.apps/gone pruned',
      'secret/gone pruned',
      'statefulset.apps/gone pruned',
    ])
  })
})
