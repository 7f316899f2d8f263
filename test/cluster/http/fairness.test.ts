import { describe, expect, it } from 'vitest'
import { createFairness, type Seat } from '../../../src/cluster/http/fairness.ts'

const user = (name: string, ...groups: string[]): { name: string; groups: string[] } => ({ name, groups })
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('the queue before the API server', () => {
  it('lets a user have so many requests at work, then queues, then refuses with a time to come back', async () => {
    const fairness = createFairness({ running: 2, waiting: 2, streams: 9, turnMs: 25 })
    const seats = [fairness.enter(user('tom')), fairness.enter(user('tom'))]
    const waiting = [fairness.enter(user('tom')), fairness.enter(user('tom'))]
    expect(waiting.every((one) => one instanceof Promise)).toBe(true)
    expect(() => fairness.enter(user('tom'))).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 429 }) as object }) as Error,
    )
    expect(fairness.enter(user('bob'))).not.toBeInstanceOf(Promise)
    for (const seat of seats) (seat as Seat).release()
    for (const seat of await Promise.all(waiting)) seat.release()
    expect(fairness.enter(user('tom'))).not.toBeInstanceOf(Promise)
  })

  it('makes a user who took much of this turn wait for the next, and nobody else', async () => {
    const fairness = createFairness({ running: 10, waiting: 10, streams: 9, turnMs: 25 })
    const first = fairness.enter(user('tom')) as Seat
    first.spent(500)
    const order: string[] = []
    const later = Promise.resolve(fairness.enter(user('tom'))).then(() => order.push('tom'))
    await Promise.resolve(fairness.enter(user('bob'))).then(() => order.push('bob'))
    await later
    expect(order).toEqual(['bob', 'tom'])
    await nextTurn()
  })

  it('takes turns among those who wait', async () => {
    const fairness = createFairness({ running: 1, waiting: 100, streams: 9, turnMs: 25 })
    const order: string[] = []
    const run = async (name: string): Promise<void> => {
      const seat = await fairness.enter(user(name))
      order.push(name)
      seat.spent(30)
      seat.release()
    }
    const all = [run('tom'), run('tom'), run('tom'), run('tom'), run('bob'), run('bob')]
    await Promise.all(all)
    expect(order.indexOf('bob')).toBeLessThan(2)
    expect(order.lastIndexOf('bob')).toBeLessThan(order.lastIndexOf('tom'))
  })

  it('counts streams apart from requests, and bounds them', () => {
    const fairness = createFairness({ running: 1, waiting: 0, streams: 2, turnMs: 25 })
    const open = (): Seat => {
      const seat = fairness.enter(user('tom')) as Seat
      seat.stream()
      return seat
    }
    const first = open()
    open()
    const third = fairness.enter(user('tom')) as Seat
    expect(() => third.stream()).toThrow(/watches open/)
    third.release()
    first.release()
    expect(() => open()).not.toThrow()
  })

  it('never holds up administrators and the parts of the cluster', () => {
    const fairness = createFairness({ running: 0, waiting: 0, streams: 0, turnMs: 0 })
    expect(() => fairness.enter(user('admin', 'system:masters'))).not.toThrow()
    expect(() => fairness.enter(user('system:kube-scheduler'))).not.toThrow()
    expect(() => fairness.enter(user('tom'))).toThrow()
  })
})
