import { beforeEach, describe, expect, test } from 'vitest'
import { type Behavior, History } from '../../../../src/cluster/controllers/autoscaler/history.ts'
import { limit } from '../../../../src/cluster/controllers/autoscaler/limits.ts'

let now: number
let current: number
let history: History

beforeEach(() => {
  now = 1_000_000
  begin(5)
})

function begin(replicas: number): void {
  current = replicas
  history = new History(current, now)
}

/** What becomes of a recommendation, and why; it is then as if the workload had that size. */
function ask(
  desiredReplicas: number,
  behavior?: Behavior,
  bounds: { min?: number; max?: number } = {},
): [replicas: number, able: string, limited: string] {
  const { min: minReplicas = 1, max: maxReplicas = 100 } = bounds
  const wish = { currentReplicas: current, desiredReplicas, minReplicas, maxReplicas, now }
  const { replicas, able, limited } = limit(wish, behavior, history)
  if (replicas !== current) history.scaled(current, replicas, now)
  current = replicas
  return [replicas, able.reason, `${limited.isLimited ? '' : 'not '}${limited.reason}`]
}

const pass = (seconds: number): void => {
  now += seconds * 1000
}

describe('without a behavior', () => {
  test('a workload grows at once, to twice its size or to four at the most', () => {
    expect(ask(20)).toEqual([10, 'ReadyForNewScale', 'ScaleUpLimit'])
    expect(ask(20)).toEqual([20, 'ReadyForNewScale', 'not DesiredWithinRange'])
    begin(1)
    expect(ask(9)).toEqual([4, 'ReadyForNewScale', 'ScaleUpLimit'])
  })

  test('it stays between its least and its most', () => {
    expect(ask(9, undefined, { max: 7 })).toEqual([7, 'ReadyForNewScale', 'TooManyReplicas'])
    pass(301)
    expect(ask(1, undefined, { min: 3 })).toEqual([3, 'ReadyForNewScale', 'TooFewReplicas'])
  })

  test('it shrinks when fewer have been enough for five minutes', () => {
    pass(150)
    expect(ask(2)).toEqual([5, 'ScaleDownStabilized', 'not DesiredWithinRange'])
    pass(100)
    expect(ask(3)).toEqual([5, 'ScaleDownStabilized', 'not DesiredWithinRange'])
    pass(51)
    expect(ask(2)).toEqual([3, 'ScaleDownStabilized', 'not DesiredWithinRange'])
    pass(300)
    expect(ask(2)).toEqual([2, 'ReadyForNewScale', 'not DesiredWithinRange'])
  })
})

describe('with a behavior', () => {
  const up = (rules: Behavior['scaleUp']): Behavior => ({ ...(rules && { scaleUp: rules }) })
  const down = (rules: Behavior['scaleDown']): Behavior => ({
    scaleDown: { stabilizationWindowSeconds: 0, ...rules },
  })

  test('a workload grows by so many pods in a period', () => {
    const slow = up({ policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] })
    expect(ask(20, slow)).toEqual([7, 'ReadyForNewScale', 'ScaleUpLimit'])
    pass(30)
    expect(ask(20, slow)).toEqual([7, 'ReadyForNewScale', 'ScaleUpLimit'])
    pass(30)
    expect(ask(20, slow)).toEqual([9, 'ReadyForNewScale', 'ScaleUpLimit'])
  })

  test('by such a share, rounded up, and by the larger or the smaller of several', () => {
    const policies = [
      { type: 'Pods', value: 1, periodSeconds: 15 },
      { type: 'Percent', value: 50, periodSeconds: 15 },
    ]
    expect(ask(20, up({ policies, selectPolicy: 'Max' }))[0]).toBe(8)
    begin(5)
    expect(ask(20, up({ policies, selectPolicy: 'Min' }))[0]).toBe(6)
    begin(5)
    expect(ask(20, up({ policies, selectPolicy: 'Disabled' }))).toEqual([
      5,
      'ReadyForNewScale',
      'ScaleUpLimit',
    ])
  })

  test('only when more has been asked for during the whole window', () => {
    const steady = up({
      stabilizationWindowSeconds: 60,
      policies: [{ type: 'Percent', value: 900, periodSeconds: 15 }],
    })
    expect(ask(9, steady)).toEqual([5, 'ScaleUpStabilized', 'not DesiredWithinRange'])
    pass(59)
    expect(ask(8, steady)).toEqual([5, 'ScaleUpStabilized', 'not DesiredWithinRange'])
    pass(2)
    expect(ask(12, steady)).toEqual([8, 'ScaleUpStabilized', 'not DesiredWithinRange'])
  })

  test('it shrinks by so many pods in a period, and what has grown meanwhile counts', () => {
    begin(20)
    pass(1)
    const slow = down({ policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] })
    expect(ask(1, slow)).toEqual([16, 'ReadyForNewScale', 'ScaleDownLimit'])
    pass(30)
    expect(ask(1, slow)[0]).toBe(16)
    pass(31)
    expect(ask(1, slow)[0]).toBe(12)
  })

  test('by a share, rounded in favour of fewer, and not below its least', () => {
    begin(9)
    pass(1)
    const half = down({ policies: [{ type: 'Percent', value: 50, periodSeconds: 15 }] })
    expect(ask(1, half)).toEqual([4, 'ReadyForNewScale', 'ScaleDownLimit'])
    pass(16)
    expect(ask(1, half, { min: 3 })).toEqual([3, 'ReadyForNewScale', 'TooFewReplicas'])
    expect(ask(1, down({ selectPolicy: 'Disabled', policies: [] }))[0]).toBe(3)
  })

  test('after five minutes when its window for that is not given', () => {
    const quick: Behavior = { scaleDown: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] } }
    pass(299)
    expect(ask(1, quick)).toEqual([5, 'ScaleDownStabilized', 'not DesiredWithinRange'])
    pass(2)
    expect(ask(1, quick)).toEqual([1, 'ReadyForNewScale', 'not DesiredWithinRange'])
  })
})
