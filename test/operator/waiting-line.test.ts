import { expect, test } from 'vitest'
import type { Persisted, Pod, ResourceQuota } from '../../src/kube/index.ts'
import { demandOf, shortageText } from '../../src/operator/quota-room.ts'
import { type Waiting, waitsOf } from '../../src/operator/waiting-line.ts'

const gpu = 'requests.nvidia.com/gpu'

function quota(
  hard: Record<string, string>,
  used: Record<string, string> = {},
  name = 'compute',
): Persisted<ResourceQuota> {
  return {
    metadata: {
      name,
      namespace: 'dev1',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { hard },
    status: { hard, used },
  }
}

function pod(limits: Record<string, string>, extra: object = {}): Pod {
  return { spec: { containers: [{ name: 'tensorflow', resources: { limits } }], ...extra } }
}

function waiting(
  key: string,
  quotas: Persisted<ResourceQuota>[],
  pods: Pod[],
  rest: Partial<Waiting> = {},
): Waiting {
  return {
    key,
    title: `TFJob ${key}`,
    hasStarted: false,
    priority: 0,
    createdAt: Number(key.charCodeAt(0)),
    demand: demandOf(pods, quotas),
    ...rest,
  }
}

function mayStart(line: readonly Waiting[]): string[] {
  const waits = waitsOf(line)
  return line.map(({ key }) => key).filter((key) => !waits.has(key))
}

const gpus = (count: number): Pod[] => [pod({ 'nvidia.com/gpu': String(count) })]

test('what fits starts, what does not waits and says which quota, how much and how much is used', () => {
  const quotas = [quota({ [gpu]: '2' }, { [gpu]: '1' })]
  const line = [waiting('a', quotas, [...gpus(1), ...gpus(1)])]
  const wait = waitsOf(line).get('a')
  expect(wait && shortageText(wait.shortage)).toBe(
    `exceeded quota: compute, requested: ${gpu}=2, used: ${gpu}=1, limited: ${gpu}=2`,
  )
  expect(mayStart([waiting('a', quotas, gpus(1))])).toEqual(['a'])
})

test('a later small job does not take what an earlier big one waits for', () => {
  const quotas = [quota({ [gpu]: '4' }, { [gpu]: '2' })]
  const line = [waiting('a', quotas, gpus(4)), waiting('b', quotas, gpus(1))]
  expect(mayStart(line)).toEqual([])
  expect(waitsOf(line).get('b')?.behind).toBe('TFJob a')
})

test('a later job goes ahead when there is room for it and for all before it', () => {
  const quotas = [quota({ [gpu]: '4', 'requests.cpu': '8' }, { [gpu]: '2', 'requests.cpu': '1' })]
  const line = [
    waiting('a', quotas, gpus(4)),
    waiting('b', quotas, [pod({ cpu: '2' })]),
    waiting('c', quotas, [pod({ cpu: '6' })]),
  ]
  expect(mayStart(line)).toEqual(['b'])
})

test('the more important job comes first, then the earlier', () => {
  const quotas = [quota({ [gpu]: '1' })]
  const line = [
    waiting('b', quotas, gpus(1)),
    waiting('a', quotas, gpus(1)),
    waiting('c', quotas, gpus(1), { priority: 10 }),
  ]
  expect(mayStart(line)).toEqual(['c'])
  expect(mayStart(line.slice(0, 2))).toEqual(['a'])
})

test('a job that lost a pod gets it back before others start', () => {
  const quotas = [quota({ [gpu]: '2' }, { [gpu]: '1' })]
  const line = [
    waiting('a', quotas, gpus(1), { priority: 10 }),
    waiting('z', quotas, gpus(1), { hasStarted: true }),
  ]
  expect(mayStart(line)).toEqual(['z'])
})

test('a job that can never fit holds nobody up', () => {
  const quotas = [quota({ [gpu]: '2' })]
  expect(mayStart([waiting('a', quotas, gpus(3)), waiting('b', quotas, gpus(2))])).toEqual(['b'])
})

test('limits count as requests where none are named, as the server charges them', () => {
  const quotas = [quota({ 'requests.memory': '1Gi', pods: '10' })]
  expect(mayStart([waiting('a', quotas, [pod({ memory: '2Gi' })])])).toEqual([])
})

test('quotas whose scope leaves a pod out do not hold it up', () => {
  const scoped = quota({ pods: '0' })
  scoped.spec = {
    hard: { pods: '0' },
    scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
  }
  expect(mayStart([waiting('a', [scoped], gpus(1))])).toEqual(['a'])
  expect(mayStart([waiting('a', [scoped], [pod({}, { priorityClassName: 'high' })])])).toEqual([])
})

test('without quotas everything starts', () => {
  expect(mayStart([waiting('a', [], gpus(100)), waiting('b', [], gpus(100))])).toEqual(['a', 'b'])
})
