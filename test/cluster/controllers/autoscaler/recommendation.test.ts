import { describe, expect, test } from 'vitest'
import type { PodUse } from '../../../../src/cluster/controllers/autoscaler/pod-uses.ts'
import { recommend, type Situation } from '../../../../src/cluster/controllers/autoscaler/recommendation.ts'
import type { Persisted, Pod } from '../../../../src/kube/index.ts'

const now = Date.parse('2030-01-01T12:00:00Z')
const long = '2030-01-01T10:00:00Z'

interface Some {
  /** Thousandths of what is measured; left out: nothing is known. */
  readonly uses?: number
  readonly asks?: string
  readonly phase?: string
  readonly isReady?: boolean
  readonly startedAt?: string
  readonly readySince?: string
  readonly isLeaving?: boolean
}

function situation(pods: readonly Some[], more: Partial<Situation> = {}): Situation {
  const made = pods.map(
    (some, index) =>
      ({
        metadata: {
          name: `p${index}`,
          ...(some.isLeaving === true && { deletionTimestamp: long }),
        },
        spec: {
          containers: [
            { name: 'c', resources: { requests: some.asks === '' ? {} : { cpu: some.asks ?? '1' } } },
          ],
        },
        status: {
          phase: some.phase ?? 'Running',
          startTime: some.startedAt ?? long,
          conditions: [
            {
              type: 'Ready',
              status: some.isReady === false ? 'False' : 'True',
              lastTransitionTime: some.readySince ?? long,
            },
          ],
        },
      }) as unknown as Persisted<Pod>,
  )
  const uses = new Map<string, PodUse>()
  for (const [index, { uses: milli }] of pods.entries())
    if (milli !== undefined) uses.set(`p${index}`, { milli, at: now, windowMs: 15_000 })
  return {
    currentReplicas: pods.length,
    pods: made,
    uses,
    resource: 'cpu',
    target: { percent: 50 },
    tolerance: { up: 0.1, down: 0.1 },
    now,
    ...more,
  }
}

const repeat = (count: number, some: Some): Some[] => Array.from({ length: count }, () => some)

describe('the number of replicas', () => {
  test.each<[string, Some[], Partial<Situation>, number]>([
    ['grows with the ratio of use and target', repeat(3, { uses: 900 }), {}, 6],
    ['shrinks with it', repeat(4, { uses: 100 }), {}, 1],
    ['stays where use is at most a tenth above the target', repeat(3, { uses: 550 }), {}, 3],
    ['stays where use is at most a tenth below it', repeat(3, { uses: 450 }), {}, 3],
    ['grows just above that', repeat(10, { uses: 560 }), {}, 12],
    [
      'follows a tolerance of its own for each direction',
      repeat(10, { uses: 560 }),
      { tolerance: { up: 0.2, down: 0 } },
      10,
    ],
    [
      'follows an amount for each pod as well as a share',
      repeat(2, { uses: 300 }),
      { target: { milli: 100 } },
      6,
    ],
    ['takes pods without metrics to use nothing when it grows', [{ uses: 1000 }, { uses: 1000 }, {}], {}, 4],
    [
      'takes pods without metrics to use what they asked for when it shrinks',
      [{ uses: 100 }, { uses: 100 }, { uses: 100 }, {}],
      {},
      3,
    ],
    ['does not turn round because of them', [{ uses: 300 }, {}, {}], {}, 3],
    [
      'takes pending pods to use nothing when it grows',
      [{ uses: 1000 }, { phase: 'Pending' }, { phase: 'Pending' }],
      {},
      3,
    ],
    [
      'leaves out pods that have failed or are leaving',
      [{ uses: 1000 }, { uses: 0, phase: 'Failed' }, { uses: 0, isLeaving: true }],
      { currentReplicas: 1 },
      2,
    ],
    [
      'does not look at the CPU of a pod that starts and is not ready',
      [{ uses: 600 }, { uses: 5000, isReady: false, startedAt: '2030-01-01T11:58:00Z' }],
      {},
      2,
    ],
    [
      'nor at that of one whose window began before it was ready',
      [{ uses: 500 }, { uses: 5000, startedAt: '2030-01-01T11:58:00Z', readySince: '2030-01-01T11:59:50Z' }],
      {},
      2,
    ],
    [
      'looks at it once the window began later',
      [{ uses: 500 }, { uses: 1500, startedAt: '2030-01-01T11:58:00Z', readySince: '2030-01-01T11:59:40Z' }],
      {},
      4,
    ],
    [
      'looks at memory from the beginning',
      [{ uses: 1500, isReady: false, startedAt: '2030-01-01T11:59:59Z' }],
      { resource: 'memory', target: { milli: 500 } },
      3,
    ],
  ])('%s', (_title, pods, more, expected) => {
    expect(recommend(situation(pods, more)).replicas).toBe(expected)
  })

  test('comes with what was measured: percent of requests, and the mean', () => {
    const pods = [
      { uses: 300, asks: '400m' },
      { uses: 501, asks: '600m' },
    ]
    expect(recommend(situation(pods))).toEqual({ replicas: 4, utilization: 80, averageMilli: 400 })
    const target = { milli: 400 }
    expect(recommend(situation(pods, { target }))).toEqual({ replicas: 2, averageMilli: 400 })
  })

  test.each<[string, Situation]>([
    ['no pods returned by selector while calculating replica count', situation([])],
    [
      'did not receive metrics for targeted pods (pods might be unready)',
      situation([{ uses: 1, phase: 'Pending' }]),
    ],
    ['missing request for cpu in container c of Pod p1', situation([{ uses: 1 }, { uses: 1, asks: '' }])],
    ['no metrics returned matched known pods', situation([{ uses: 1, asks: '0' }])],
  ])('cannot be told: %s', (message, unknown) => {
    expect(() => recommend(unknown)).toThrow(message)
  })
})
