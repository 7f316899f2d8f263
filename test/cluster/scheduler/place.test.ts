import { describe, expect, it } from 'vitest'
import { failureMessage } from '../../../src/cluster/scheduler/messages.ts'
import { placePod } from '../../../src/cluster/scheduler/place.ts'
import type { ClusterState } from '../../../src/cluster/scheduler/cluster-state.ts'
import type { PodInfo } from '../../../src/cluster/scheduler/pod-info.ts'
import { planPreemption } from '../../../src/cluster/scheduler/preemption.ts'
import { cluster, node, pod } from './objects.ts'

/** Nothing protects anybody, and no room is promised. */
const alone = { budgets: [], promisedTo: () => [] }

function outcome(one: PodInfo, state: ClusterState): string {
  const placement = placePod(one, state)
  if ('node' in placement) return placement.node.name
  const preemption = planPreemption(one, state, placement.diagnosis, alone)
  return failureMessage(placement.diagnosis, 'message' in preemption ? preemption.message : '')
}

describe('choosing a node', () => {
  it('takes the node with the most room left', () => {
    const state = cluster([node('a'), node('b')])
    state.put(pod('busy', { cpu: '3' }), 'a')
    expect(outcome(pod('new', { cpu: '1' }), state)).toBe('b')
  })

  it('counts a GPU that is taken, in the words of Kubernetes', () => {
    const state = cluster([node('a', { resources: { 'nvidia.com/gpu': '1' } })])
    state.put(pod('first', { 'nvidia.com/gpu': '1' }), 'a')
    expect(outcome(pod('second', { 'nvidia.com/gpu': '1' }), state)).toBe(
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    )
  })

  it('says that preemption does not help where the node is too small anyway', () => {
    const state = cluster([node('a'), node('b', { resources: { cpu: '64' } })])
    state.put(pod('busy', { cpu: '60' }), 'b')
    expect(outcome(pod('large', { cpu: '10' }), state)).toBe(
      '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    )
  })

  it('lists the reasons of different nodes in order', () => {
    const state = cluster([
      node('a', { taints: [{ key: 'team', value: 'x', effect: 'NoSchedule' }] }),
      node('b', { unschedulable: true }),
      node('c', { resources: { memory: '1Gi', cpu: '1' } }),
    ])
    expect(outcome(pod('one', { cpu: '2', memory: '2Gi' }), state)).toBe(
      '0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    )
  })

  it('knows when there are no nodes at all', () => {
    expect(outcome(pod('one'), cluster([]))).toBe('no nodes available to schedule pods')
  })

  it('follows a node selector and required node affinity', () => {
    const state = cluster([
      node('a', { labels: { disk: 'slow' } }),
      node('b', { labels: { disk: 'fast', size: '8' } }),
    ])
    expect(outcome(pod('one', {}, { spec: { nodeSelector: { disk: 'fast' } } }), state)).toBe('b')
    const required = (operator: string, values: string[]) => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'size', operator, values }] }],
          },
        },
      },
    })
    expect(outcome(pod('two', {}, { spec: required('Gt', ['4']) }), state)).toBe('b')
    expect(outcome(pod('three', {}, { spec: required('Gt', ['9']) }), state)).toContain(
      "2 node(s) didn't match Pod's node affinity/selector.",
    )
  })

  it('looks at no node but those that a pod names', () => {
    const state = cluster([
      node('a', { resources: { cpu: '1' } }),
      node('b', { unschedulable: true }),
      node('c'),
    ])
    const named = (...lists: string[][]) => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: lists.map((values) => ({ key: 'metadata.name', operator: 'In', values })) },
            ],
          },
        },
      },
    })
    expect(outcome(pod('one', { cpu: '2' }, { spec: named(['a']) }), state)).toBe(
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    )
    expect(outcome(pod('two', {}, { spec: named(['a'], ['c']) }), state)).toContain(
      '0/3 nodes are available: pod affinity terms conflict.',
    )
    expect(outcome(pod('three', {}, { spec: named(['c']) }), state)).toBe('c')
  })

  it('lets pods onto tainted nodes that they tolerate', () => {
    const state = cluster([node('a', { taints: [{ key: 'gpu', value: 'a100', effect: 'NoSchedule' }] })])
    const tolerations = [{ key: 'gpu', operator: 'Equal', value: 'a100', effect: 'NoSchedule' }]
    expect(outcome(pod('one', {}, { spec: { tolerations } }), state)).toBe('a')
  })

  it('keeps host ports apart', () => {
    const withPort = (name: string) =>
      pod(
        name,
        {},
        { spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }] } },
      )
    const state = cluster([node('a')])
    state.put(withPort('first'), 'a')
    expect(outcome(withPort('second'), state)).toContain(
      "1 node(s) didn't have free ports for the requested pod ports.",
    )
  })

  it('counts pods against what the node allows', () => {
    const state = cluster([node('a', { resources: { pods: '1' } })])
    state.put(pod('first'), 'a')
    expect(outcome(pod('second'), state)).toContain('1 Too many pods.')
  })

  it('keeps pods apart that do not want each other', () => {
    const antiAffinity = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    }
    const db = (name: string) => pod(name, {}, { labels: { app: 'db' }, spec: antiAffinity })
    const state = cluster([node('a'), node('b')])
    state.put(db('first'), 'a')
    expect(outcome(db('second'), state)).toBe('b')
    state.put(db('second'), 'b')
    expect(outcome(db('third'), state)).toContain("2 node(s) didn't match pod anti-affinity rules.")
    expect(outcome(pod('guest', {}, { labels: { app: 'db' } }), state)).toContain(
      "2 node(s) didn't satisfy existing pods anti-affinity rules.",
    )
  })

  it('brings pods together that want each other, the first one anywhere', () => {
    const together = {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    }
    const web = (name: string) => pod(name, { cpu: '1' }, { labels: { app: 'web' }, spec: together })
    const state = cluster([node('a'), node('b')])
    const first = outcome(web('first'), state)
    expect(first).toBe('a')
    state.put(web('first'), first)
    expect(outcome(web('second'), state)).toBe('a')
    const stranger = pod('stranger', {}, { spec: together })
    expect(outcome(stranger, state)).toBe('a')
  })

  it('spreads over zones as far as the pod insists', () => {
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'x' } },
        },
      ],
    }
    const x = (name: string) => pod(name, {}, { labels: { app: 'x' }, spec: spread })
    const state = cluster([
      node('a', { labels: { zone: '1' } }),
      node('b', { labels: { zone: '2' }, resources: { pods: '0' } }),
      node('c'),
    ])
    state.put(x('first'), 'a')
    expect(outcome(x('second'), state)).toContain(
      "1 Too many pods, 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).",
    )
  })

  it('refuses pods whose claims are not there or not bound', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const one = pod('one', {}, { spec: { volumes } })
    expect(outcome(one, cluster([node('a')]))).toBe(
      '0/1 nodes are available: persistentvolumeclaim "data" not found. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    )
    const claim = {
      metadata: { name: 'data', uid: 'c', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {},
    }
    expect(outcome(one, cluster([node('a')], { claim: () => claim }))).toContain(
      'pod has unbound immediate PersistentVolumeClaims.',
    )
  })
})

describe('preemption', () => {
  const high = (requests: Record<string, string>) => pod('high', requests, { spec: { priority: 100 } })

  it('takes the node where the least important pods have to go', () => {
    const state = cluster([node('a'), node('b')])
    state.put(pod('old', { cpu: '4' }, { spec: { priority: 50 } }), 'a')
    state.put(pod('cheap', { cpu: '4' }, { spec: { priority: 1 } }), 'b')
    const one = high({ cpu: '3' })
    const placement = placePod(one, state)
    if ('node' in placement) throw new Error('there is no room')
    const plan = planPreemption(one, state, placement.diagnosis, alone)
    expect(plan).toMatchObject({ victims: [{ name: 'cheap' }], node: { name: 'b' } })
  })

  it('lets those stay who need not go', () => {
    const state = cluster([node('a')])
    state.put(pod('small', { cpu: '1' }, { spec: { priority: 5 } }), 'a')
    state.put(pod('large', { cpu: '3' }, { spec: { priority: 1 } }), 'a')
    const one = high({ cpu: '3' })
    const placement = placePod(one, state)
    if ('node' in placement) throw new Error('there is no room')
    expect(planPreemption(one, state, placement.diagnosis, alone)).toMatchObject({
      victims: [{ name: 'large' }],
    })
  })

  it('does not count on room that is being made for another pod of its priority', () => {
    const state = cluster([node('a')])
    for (const name of ['one', 'two', 'three', 'four']) state.put(pod(name, { cpu: '1' }), 'a')
    const plan = (one: PodInfo, promised: PodInfo[]) => {
      const placement = placePod(one, state)
      if ('node' in placement) throw new Error('there is no room')
      return planPreemption(one, state, placement.diagnosis, { budgets: [], promisedTo: () => promised })
    }
    const earlier = high({ cpu: '2' })
    expect(plan(high({ cpu: '2' }), [])).toMatchObject({ victims: [{}, {}] })
    expect(plan(high({ cpu: '2' }), [earlier])).toMatchObject({ victims: [{}, {}, {}, {}] })
    expect(plan(high({ cpu: '3' }), [earlier])).toMatchObject({ isHopeless: true })
    const lesser = pod('lesser', { cpu: '2' }, { spec: { priority: 50 } })
    expect(plan(high({ cpu: '2' }), [lesser])).toMatchObject({ victims: [{}, {}] })
  })

  it('spares pods that a disruption budget protects', () => {
    const state = cluster([node('a'), node('b')])
    state.put(pod('guarded', { cpu: '4' }, { labels: { app: 'db' } }), 'a')
    state.put(pod('plain', { cpu: '4' }, { spec: { priority: 1 } }), 'b')
    const one = high({ cpu: '3' })
    const placement = placePod(one, state)
    if ('node' in placement) throw new Error('there is no room')
    const budget = {
      metadata: {
        name: 'b',
        namespace: 'dev1',
        uid: 'b',
        resourceVersion: '1',
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { selector: { matchLabels: { app: 'db' } } },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    }
    expect(
      planPreemption(one, state, placement.diagnosis, {
        ...alone,
        budgets: [budget],
      }),
    ).toMatchObject({
      victims: [{ name: 'plain' }],
    })
  })

  it('does nothing for pods that never preempt', () => {
    const state = cluster([node('a')])
    state.put(pod('low', { cpu: '4' }), 'a')
    const one = pod('polite', { cpu: '4' }, { spec: { priority: 100, preemptionPolicy: 'Never' } })
    expect(outcome(one, state)).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    )
  })
})
