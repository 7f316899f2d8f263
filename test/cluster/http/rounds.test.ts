import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Rounds } from '../../../src/cluster/http/rounds.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** How many of so many streams, the last of which asks for the round late, were let go on by each moment. */
async function wentOn(streams: number, moments: readonly number[]): Promise<number[]> {
  const rounds = new Rounds()
  for (let opened = 0; opened < streams; opened += 1) rounds.enter()
  let gone = 0
  const waits = () => rounds.next().then(() => (gone += 1))
  for (let asked = 1; asked < streams; asked += 1) void waits()
  await vi.advanceTimersByTimeAsync(1)
  void waits()
  const seen: number[] = []
  let now = 1
  for (const moment of moments) {
    await vi.advanceTimersByTimeAsync(moment - now)
    now = moment
    seen.push(gone)
  }
  return seen
}

describe('rounds of writing to streams', () => {
  it('begin for all streams at once, shortly after the first that asks when there are few', async () => {
    expect(await wentOn(2, [4, 5])).toEqual([0, 2])
  })

  it('are further apart the more streams are open, a tenth of a second at most', async () => {
    expect(await wentOn(100, [49, 50])).toEqual([0, 100])
    expect(await wentOn(4000, [99, 100])).toEqual([0, 4000])
  })

  it('come sooner again when streams have ended', async () => {
    const rounds = new Rounds()
    const leave = Array.from({ length: 200 }, () => rounds.enter())
    for (const end of leave) end()
    const next = rounds.next()
    await vi.advanceTimersByTimeAsync(5)
    await next
  })
})

describe('a stream that asks for rounds again and again', () => {
  it('waits for one each time', async () => {
    const rounds = new Rounds()
    let turns = 0
    void (async () => {
      for (;;) {
        await rounds.next()
        turns += 1
      }
    })()
    await vi.advanceTimersByTimeAsync(24)
    expect(turns).toBe(4)
  })
})
