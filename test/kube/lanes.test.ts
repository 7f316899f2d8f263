import { describe, expect, it } from 'vitest'
import { Lanes } from '../../src/kube/lanes.ts'

describe('lanes', () => {
  it('let one request out at a time while that is quick', async () => {
    const lanes = new Lanes({ patienceMs: 10_000, most: 4 })
    const order: string[] = []
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const leave = await lanes.enter()
        order.push(`${name} in`)
        await Promise.resolve()
        order.push(`${name} out`)
        leave()
        leave()
      }),
    )
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  })

  it('open further lanes when a request takes long, up to a limit', async () => {
    const lanes = new Lanes({ patienceMs: 1, most: 2 })
    const first = await lanes.enter()
    const second = await lanes.enter()
    let isIn = false
    const third = lanes.enter().then((leave) => {
      isIn = true
      return leave
    })
    expect(isIn).toBe(false)
    first()
    const leave = await third
    leave()
    second()
  })

  it('double while many wait, and stay within the limit', async () => {
    const lanes = new Lanes({ patienceMs: 5, most: 12 })
    const leave = await lanes.enter()
    leave()
    let under = 0
    const seen = new Set<number>()
    const all = Array.from({ length: 40 }, () =>
      lanes.enter().then((over) => {
        under += 1
        seen.add(under)
        return over
      }),
    )
    // Nobody leaves until the limit is reached, in four steps of patience.
    const first = await Promise.all(all.slice(0, 12))
    expect(under).toBe(12)
    for (const over of first) {
      under -= 1
      over()
    }
    for (const one of all.slice(12)) {
      const over = await one
      under -= 1
      over()
    }
    expect(Math.max(...seen)).toBe(12)
  })
})
