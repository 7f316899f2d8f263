import { describe, expect, it } from 'vitest'
import { SchedulingQueue } from '../../../src/cluster/scheduler/queue.ts'
import { pod } from './objects.ts'

describe('the queue of waiting pods', () => {
  it('gives the most important first, then the oldest', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    for (const [name, priority] of [
      ['a', 0],
      ['b', 10],
      ['c', 0],
    ] as const) {
      now += 1
      queue.put(pod(name, {}, { spec: { priority } }))
    }
    expect([queue.next(), queue.next(), queue.next(), queue.next()].map((entry) => entry?.pod.name)).toEqual([
      'b',
      'a',
      'c',
      undefined,
    ])
  })

  it('keeps a refused pod until something happens that may help it', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    queue.put(pod('a'))
    const entry = queue.next()
    if (entry === undefined) throw new Error('nothing to try')
    queue.failed(entry, new Set(['NodeResourcesFit']))
    now += 20_000
    expect(queue.next()).toBeUndefined()
    queue.changed([{ change: 'volume' }])
    expect(queue.next()).toBeUndefined()
    queue.changed([{ change: 'pod-gone' }])
    expect(queue.next()?.pod.name).toBe('a')
  })

  it('waits out a growing delay where nobody refused the pod but something went wrong', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    queue.put(pod('a'))
    const entry = queue.next()
    if (entry === undefined) throw new Error('nothing to try')
    queue.failed(entry, new Set())
    queue.changed([{ change: 'node' }])
    expect(queue.next()).toBeUndefined()
    expect(queue.dueInMs()).toBe(1000)
    now += 1000
    expect(queue.next()?.pod.name).toBe('a')
    queue.failed(entry, new Set())
    expect(queue.dueInMs()).toBe(2000)
  })

  it('tries only the first few at once when many wait for the same room', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    for (let i = 0; i < 40; i += 1) queue.put(pod(`p${i}`))
    for (let entry = queue.next(); entry !== undefined; entry = queue.next()) {
      queue.failed(entry, new Set(['NodeResourcesFit']))
    }
    queue.changed([{ change: 'pod-gone' }])
    let tried = 0
    while (queue.next() !== undefined) tried += 1
    expect(tried).toBe(16)
    now += 1000
    while (queue.next() !== undefined) tried += 1
    expect(tried).toBe(40)
  })

  it('does not miss a change that came while the pod was tried', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    queue.put(pod('a'))
    const entry = queue.next()
    if (entry === undefined) throw new Error('nothing to try')
    queue.changed([{ change: 'pod-gone' }])
    queue.failed(entry, new Set(['NodeResourcesFit']))
    now += 1000
    expect(queue.next()?.pod.name).toBe('a')
  })

  it('forgets removed pods', () => {
    const queue = new SchedulingQueue(() => 0)
    const one = pod('a')
    queue.put(one)
    queue.remove(one.uid)
    expect(queue.next()).toBeUndefined()
    expect(queue.size).toBe(0)
  })
})
