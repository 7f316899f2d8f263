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
    queue.changed('volume')
    expect(queue.next()).toBeUndefined()
    queue.changed('pod-gone')
    expect(queue.next()?.pod.name).toBe('a')
  })

  it('does not try again before the delay is over', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    queue.put(pod('a'))
    const entry = queue.next()
    if (entry === undefined) throw new Error('nothing to try')
    queue.failed(entry, new Set(['NodeResourcesFit']))
    queue.changed('node')
    expect(queue.next()).toBeUndefined()
    expect(queue.dueInMs()).toBe(1000)
    now += 1000
    expect(queue.next()?.pod.name).toBe('a')
  })

  it('does not miss a change that came while the pod was tried', () => {
    let now = 0
    const queue = new SchedulingQueue(() => now)
    queue.put(pod('a'))
    const entry = queue.next()
    if (entry === undefined) throw new Error('nothing to try')
    queue.changed('pod-gone')
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
