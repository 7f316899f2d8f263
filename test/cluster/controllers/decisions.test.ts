import { describe, expect, it } from 'vitest'
import { lastDue, parseSchedule } from '../../../src/cluster/controllers/cron-schedule.ts'
import { budgetStatus } from '../../../src/cluster/controllers/disruption.ts'
import { planSlices } from '../../../src/cluster/controllers/endpoint-slices.ts'
import { GarbageGraph, judge } from '../../../src/cluster/controllers/garbage-graph.ts'
import {
  firstMissing,
  formatIndexes,
  parseIndexes,
  withIndexes,
} from '../../../src/cluster/controllers/job/index-set.ts'
import { leavesAt, wantedTaints } from '../../../src/cluster/controllers/node-taints.ts'
import {
  type Node,
  type Persisted,
  type Pod,
  type PodDisruptionBudget,
  type Service,
} from '../../../src/kube/index.ts'

const metadata = (name: string) => ({
  name,
  namespace: 'dev1',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
})
const time = (text: string): number => Date.parse(text)

describe('what becomes of an object with owners', () => {
  const owner = (uid: string, blockOwnerDeletion = false) => ({
    apiVersion: 'v1',
    kind: 'X',
    name: uid,
    uid,
    blockOwnerDeletion,
  })

  it('goes when all its owners are gone', () => {
    expect(judge([owner('a'), owner('b')], () => 'absent', false)).toEqual({ action: 'delete' })
  })

  it('stays as long as one owner is there, and forgets the others', () => {
    const verdict = judge([owner('a'), owner('b')], ({ uid }) => (uid === 'a' ? 'absent' : 'solid'), false)
    expect(verdict).toEqual({ action: 'drop-owners', uids: ['a'] })
  })

  it('goes after its own dependents when its owner waits for it', () => {
    expect(judge([owner('a', true)], () => 'foreground', true)).toEqual({ action: 'delete-foreground' })
    expect(judge([owner('a', true)], () => 'foreground', false)).toEqual({ action: 'delete' })
  })

  it('stays when nobody knows what its owner is', () => {
    expect(judge([owner('a')], () => 'unknown', false)).toEqual({ action: 'keep' })
  })

  it('is looked at again when its owner goes', () => {
    const graph = new GarbageGraph()
    const child = {
      type: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
      namespace: 'dev1',
      name: 'child',
      uid: 'child',
      owners: [owner('a')],
      isDeleting: false,
      isForeground: false,
      isOrphaning: false,
    }
    expect(graph.observe(child).examine).toEqual([child])
    expect(graph.observe(child).examine).toEqual([])
    expect(graph.gone('a', []).examine).toEqual([child])
  })
})

describe('completion indexes', () => {
  it('are written as Kubernetes writes them', () => {
    expect(formatIndexes(withIndexes(parseIndexes('1,3-5,7', 100), [0, 6, 9, 10]))).toBe('0,1,3-7,9,10')
    expect(formatIndexes(parseIndexes('0-20', 5))).toBe('0-4')
  })

  it('are given out from the lowest that is free', () => {
    expect(firstMissing(parseIndexes('0,2-3', 6), 3, 6)).toEqual([1, 4, 5])
  })
})

describe('schedules', () => {
  const since = time('2026-01-01T00:00:00Z')

  it('find the time that is due and tell few missed runs from many', () => {
    const schedule = parseSchedule('*/5 * * * *', { timeZone: 'Etc/UTC', since })
    expect(lastDue(schedule, since, time('2026-01-01T00:04:59Z')).scheduled).toBeUndefined()
    expect(lastDue(schedule, since, time('2026-01-01T00:05:00Z'))).toEqual({
      scheduled: time('2026-01-01T00:05:00Z'),
      missed: 'few',
    })
    expect(lastDue(schedule, since, time('2026-01-02T00:03:00Z'))).toEqual({
      scheduled: time('2026-01-02T00:00:00Z'),
      missed: 'many',
    })
  })

  it('follow the time zone', () => {
    const schedule = parseSchedule('30 9 * * *', { timeZone: 'Asia/Shanghai', since })
    expect(schedule.next(since)).toBe(time('2026-01-01T01:30:00Z'))
  })

  it('take nicknames and intervals, and refuse what is none', () => {
    expect(parseSchedule('@hourly', { timeZone: 'Etc/UTC', since }).next(since)).toBe(
      time('2026-01-01T01:00:00Z'),
    )
    expect(parseSchedule('@every 90s', { since }).previous(since + 200_000)).toBe(since + 180_000)
    expect(() => parseSchedule('61 * * * *', { since })).toThrow()
  })
})

describe('taints of a node', () => {
  const node = (ready: string, spec: Node['spec'] = {}): Persisted<Node> => ({
    metadata: metadata('n'),
    spec,
    status: { conditions: [{ type: 'Ready', status: ready }] },
  })
  const options = { mayEvict: true, time: '2026-01-01T00:00:00Z' }

  it('follow its conditions, and leave alone what others put there', () => {
    const own = { key: 'team', value: 'a', effect: 'NoSchedule' }
    const taints = wantedTaints(node('Unknown', { taints: [own] }), options)
    expect(taints?.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
      'team:NoSchedule',
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ])
    expect(wantedTaints(node('True', { taints: taints ?? [] }), options)).toEqual([own])
    expect(wantedTaints(node('True', { taints: [own] }), options)).toBeUndefined()
  })

  it('evict nobody while no node is well', () => {
    const taints = wantedTaints(node('False'), { ...options, mayEvict: false })
    expect(taints?.map(({ effect }) => effect)).toEqual(['NoSchedule'])
  })

  it('let pods stay as long as they tolerate them', () => {
    const taint = { key: 'k', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }
    const added = time(taint.timeAdded)
    expect(leavesAt([taint], [], 0)).toBe(added)
    expect(leavesAt([taint], [{ key: 'k', operator: 'Exists' }], 0)).toBeUndefined()
    expect(leavesAt([taint], [{ key: 'k', operator: 'Exists', tolerationSeconds: 300 }], 0)).toBe(
      added + 300_000,
    )
  })
})

const pod = (name: string, ready: boolean, extra: object = {}): Persisted<Pod> => ({
  metadata: metadata(name),
  status: { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  ...extra,
})

describe('a disruption budget', () => {
  it('spares what is healthy beyond what must stay, less what was granted already', () => {
    const budget: Persisted<PodDisruptionBudget> = {
      metadata: metadata('b'),
      status: {
        disruptionsAllowed: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
        disruptedPods: { a: '2026-01-01T00:00:00Z', gone: '2026-01-01T00:00:00Z' },
      },
    }
    const pods = [pod('a', true), pod('b', true), pod('c', true), pod('d', false)]
    const now = time('2026-01-01T00:01:00Z')
    const { status, againAfterMs } = budgetStatus(budget, pods, { expected: 4, desired: 1 }, now)
    expect(status).toMatchObject({
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 4,
      disruptedPods: { a: '2026-01-01T00:00:00Z' },
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    })
    expect(againAfterMs).toBe(60_000)
  })
})

describe('endpoint slices', () => {
  const service: Persisted<Service> = {
    metadata: metadata('web'),
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  }
  const pods = (count: number) => Array.from({ length: count }, (_, i) => pod(`p${i}`, true))
  const none = () => undefined

  it('hold at most a hundred endpoints each', () => {
    const { create } = planSlices(service, pods(250), [], none)
    expect(create.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50])
  })

  it('are left alone where nothing changes, and only the touched one is rewritten', () => {
    const { create } = planSlices(service, pods(150), [], none)
    const existing = create.map(({ metadata: made, ...slice }, i) => ({
      ...slice,
      metadata: { ...metadata(`s${i}`), labels: made?.labels ?? {} },
    }))
    expect(planSlices(service, pods(150), existing, none)).toEqual({ create: [], update: [], remove: [] })
    const { update } = planSlices(service, pods(149), existing, none)
    expect(update.map(({ metadata: { name }, endpoints }) => [name, endpoints.length])).toEqual([['s1', 49]])
  })

  it('say which zone and node each ready endpoint is meant for first, where the service asks for that', () => {
    const on = (name: string, isReady: boolean) => {
      const one = pod(name, isReady)
      return { ...one, spec: { containers: [], ...one.spec, nodeName: `node-of-${name}` } }
    }
    const hints = (trafficDistribution: string | undefined, zone: string | undefined) => {
      const spec = { ...service.spec, ...(trafficDistribution !== undefined && { trafficDistribution }) }
      const { create } = planSlices({ ...service, spec }, [on('a', true), on('b', false)], [], () => zone)
      return create[0]?.endpoints.map((endpoint) => endpoint.hints)
    }
    expect(hints(undefined, 'east')).toEqual([undefined, undefined])
    expect(hints('PreferClose', 'east')).toEqual([{ forZones: [{ name: 'east' }] }, undefined])
    expect(hints('PreferSameZone', undefined)).toEqual([undefined, undefined])
    expect(hints('PreferSameNode', 'east')).toEqual([
      { forZones: [{ name: 'east' }], forNodes: [{ name: 'node-of-a' }] },
      undefined,
    ])
  })

  it('show a service without endpoints as one empty slice', () => {
    expect(planSlices(service, [], [], none).create).toMatchObject([{ endpoints: [], ports: [] }])
  })
})
