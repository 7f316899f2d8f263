import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UsageWindows } from '../../../src/cluster/runtime/agent/usage-windows.ts'
import { SimulatedRuntime, simulatedAnnotations } from '../../../src/cluster/runtime/index.ts'
import { ControlGroups } from '../../../src/cluster/runtime/process/cgroup.ts'
import { ProcessTable } from '../../../src/cluster/runtime/process/process-table.ts'
import type { Container } from '../../../src/cluster/runtime/runtime.ts'
import { ManualClock } from './manual-clock.ts'
import { ProcessFixture } from './process-fixture.ts'

// Spends half a second of CPU, in a child that it waits for and in one that goes on, and keeps 64 MiB in memory.
const burn = [
  'import os, sys, time',
  'held = bytearray(os.urandom(1 << 20)) * 64',
  'def work(seconds):',
  '  end = time.process_time() + seconds',
  '  while time.process_time() < end: pass',
  'child = os.fork()',
  'if child == 0:',
  '  work(0.25); os._exit(0)',
  'os.waitpid(child, 0)',
  'work(0.25)',
  'print("burnt", flush=True)',
  'time.sleep(600)',
].join('\n')

describe('what a container that runs has used', () => {
  let fixture: ProcessFixture

  beforeEach(() => {
    fixture = new ProcessFixture()
  })

  afterEach(() => fixture.close())

  test('is counted by its control groups, or else from its processes', async () => {
    const container = await fixture.start(['python3', '-c', burn])
    await fixture.line(container, 'burnt')
    const { podUid, container: name, attempt } = container.key
    if ((await new ControlGroups({ podPids: 1 }).usage(`${podUid}.${name}.${attempt}`)) === undefined)
      process.stderr.write('NO CONTROL GROUPS ON THIS MACHINE: this test measures by /proc alone\n')
    const reading = await fixture.runtime.usage(container)
    expect(reading?.cpuNanoseconds).toBeGreaterThan(0.45e9)
    expect(reading?.cpuNanoseconds).toBeLessThan(5e9)
    expect(reading?.memoryBytes).toBeGreaterThan(64 << 20)
    expect(reading?.memoryBytes).toBeLessThan(512 << 20)
    expect(Math.abs((reading?.at ?? 0) - Date.now())).toBeLessThan(5000)
    await container.stop(0)
    expect(await fixture.runtime.usage(container)).toBeUndefined()
  })

  test('is told from the processes below its supervisor where there are no control groups', async () => {
    const container = await fixture.start(['python3', '-c', burn])
    await fixture.line(container, 'burnt')
    const { state } = container as Container & { readonly state: { readonly shim: number } }
    const table = new ProcessTable()
    const [used, again] = await Promise.all([table.usedBelow(state.shim), table.usedBelow(state.shim)])
    expect(used?.cpuNanoseconds).toBeGreaterThan(0.45e9)
    expect(used?.cpuNanoseconds).toBeLessThan(5e9)
    expect(used?.memoryBytes).toBeGreaterThan(64 << 20)
    expect(used?.memoryBytes).toBeLessThan(512 << 20)
    expect(again?.cpuNanoseconds).toBe(used?.cpuNanoseconds)
    expect(await table.usedBelow(0x7fff_ffff)).toBeUndefined()
  })
})

describe('the window', () => {
  let clock: ManualClock
  let runtime: SimulatedRuntime
  let container: Container
  let windows: UsageWindows
  const uid = 'a'

  async function start(annotations: Record<string, string>): Promise<void> {
    const fixture = new ProcessFixture()
    const spec = fixture.spec(['true'])
    await fixture.close()
    container = await runtime.start({ ...spec, pod: { ...spec.pod, annotations } })
  }

  const ask = async (): Promise<{ window: number; cpu: number } | undefined> => {
    const usage = (await windows.podUsage([uid, 'gone'])).get(uid)
    return usage && { window: usage.windowMs, cpu: usage.containers[0]?.cpuNanocores ?? -1 }
  }

  beforeEach(async () => {
    clock = new ManualClock()
    runtime = new SimulatedRuntime({ clock })
    windows = new UsageWindows({
      find: (asked) => (asked === uid ? { node: { runtime }, runs: { running: [container] } } : undefined),
      runtimeOf: () => runtime,
      clock,
      signal: new AbortController().signal,
    })
    await start({ [simulatedAnnotations.cpuUsage]: '0.3', [simulatedAnnotations.memoryUsage]: '1Mi' })
  })

  test('begins with the container while that is young', async () => {
    clock.advance(500)
    expect(await ask()).toBeUndefined()
    clock.advance(3500)
    expect(await ask()).toEqual({ window: 4000, cpu: 300_000_000 })
    clock.advance(16_000)
    expect(await ask()).toEqual({ window: 20_000, cpu: 300_000_000 })
  })

  test('begins with a reading 15 seconds old or more, and is never longer than the questions are apart', async () => {
    clock.advance(20_000)
    await ask()
    for (const [passed, window] of [
      [15_000, 15_000],
      [5_000, 20_000],
      [9_000, 29_000],
      [1_000, 15_000],
      [59_000, 59_000],
    ] as const) {
      clock.advance(passed)
      expect(await ask()).toEqual({ window, cpu: 300_000_000 })
    }
  })

  test('is one second measured at once when nobody has asked for a minute', async () => {
    clock.advance(3_600_000)
    const answer = ask()
    await vi.waitFor(() => expect(clock.waiting).toEqual([1000]))
    clock.advance(1000)
    expect(await answer).toEqual({ window: 1000, cpu: 300_000_000 })
  })

  test('is measured once for all who ask within a second', async () => {
    const usage = vi.spyOn(runtime, 'usage')
    clock.advance(10_000)
    await Promise.all([ask(), ask(), ask()])
    clock.advance(999)
    await ask()
    expect(usage).toHaveBeenCalledTimes(1)
    clock.advance(1)
    await ask()
    expect(usage).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['nothing', {}],
    ['half of it', { [simulatedAnnotations.cpuUsage]: '1' }],
    ['no quantity', { [simulatedAnnotations.cpuUsage]: 'much', [simulatedAnnotations.memoryUsage]: '1Mi' }],
  ])('is not there for a played container of which %s is stated', async (_what, annotations) => {
    await start(annotations)
    clock.advance(20_000)
    expect(await ask()).toBeUndefined()
  })
})
