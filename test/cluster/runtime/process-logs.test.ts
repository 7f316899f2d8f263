import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ProcessFixture } from './process-fixture.ts'

let fixture: ProcessFixture

beforeEach(() => {
  fixture = new ProcessFixture()
})

afterEach(async () => {
  await fixture.close()
})

describe('logs', () => {
  test('keep both streams, an unfinished last line and bytes that are no text', async () => {
    const { output } = await fixture.shell('echo out; echo err >&2; sleep 0.1; printf unfinished')
    expect(output.split('\n').sort()).toEqual(['err', 'out', 'unfinished'])
  })

  test('can be cut: tail, bytes, since, with times', async () => {
    const container = await fixture.start(['sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done'])
    await container.exited
    expect(await fixture.log(container, { tailLines: 2 })).toBe('line 4\nline 5\n')
    expect(await fixture.log(container, { tailLines: 0 })).toBe('')
    expect(await fixture.log(container, { limitBytes: 8 })).toBe('line 1\nl')
    expect(await fixture.log(container, { since: new Date(Date.now() + 60_000) })).toBe('')
    expect(await fixture.log(container, { since: new Date(0) })).toContain('line 1\n')
    expect(await fixture.log(container, { timestamps: true, tailLines: 1 })).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 5\n$/,
    )
  })

  test('can be followed until the container ends', async () => {
    const container = await fixture.start(['sh', '-c', 'for i in 1 2 3; do echo line $i; sleep 0.05; done'])
    expect(await fixture.log(container, { follow: true })).toBe('line 1\nline 2\nline 3\n')
  })

  test('carry a line longer than a record as one line', async () => {
    const { output } = await fixture.run(['python3', '-c', 'print("x" * 100000); print("end")'])
    expect(output).toBe(`${'x'.repeat(100_000)}\nend\n`)
  })

  test('begin a new file when one is full, read and followed as one, the oldest dropped', async () => {
    await fixture.close()
    fixture = new ProcessFixture({ logMaxBytes: 20_000, logMaxFiles: 3 })
    const script = 'for i in range(30000): print("line", i)'
    const container = await fixture.start(['python3', '-c', script])
    const followed = (await fixture.log(container, { follow: true })).trim().split('\n')
    expect(followed.at(-1)).toBe('line 29999')
    const lines = (await fixture.log(container)).trim().split('\n')
    expect(lines.at(-1)).toBe('line 29999')
    expect(lines.length).toBeLessThan(30000)
    const numbers = lines.map((line) => Number(line.split(' ')[1]))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => 30_000 - numbers.length + i))
  })
})
