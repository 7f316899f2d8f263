import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SimulatedRuntime } from '../../../src/cluster/runtime/index.ts'
import type { Runtime } from '../../../src/cluster/runtime/runtime.ts'
import { collect, ProcessFixture } from './process-fixture.ts'

/** What every runtime promises, whatever it runs. */
describe.each([
  { name: 'process', make: (fixture: ProcessFixture): Runtime => fixture.runtime },
  { name: 'simulated', make: (): Runtime => new SimulatedRuntime() },
])('the $name runtime', ({ name, make }) => {
  let fixture: ProcessFixture
  let runtime: Runtime

  beforeEach(() => {
    fixture = new ProcessFixture()
    runtime = make(fixture)
  })

  afterEach(async () => {
    await fixture.close()
  })

  test('has a name that begins the ids of its containers', async () => {
    expect(runtime.name).toBe(name)
    const container = await runtime.start(fixture.spec(['sleep', '600']))
    const { podUid, container: main, attempt } = container.key
    expect(container.id).toBe(`${name}://${podUid}/${main}/${attempt}`)
    await container.stop(0)
  })

  test('tells an end once, to everybody who asks, and stopping again changes nothing', async () => {
    const container = await runtime.start(fixture.spec(['sleep', '600']))
    expect(container.exit).toBeUndefined()
    const [stopped, exited] = await Promise.all([container.stop(5000), container.exited])
    expect(stopped).toEqual(exited)
    expect(container.exit).toEqual(exited)
    expect(exited.exitCode).toBeGreaterThan(0)
    expect(await container.stop(0)).toEqual(exited)
  })

  test('ends the log and what is attached with the container', async () => {
    const container = await runtime.start(fixture.spec(['sleep', '600']))
    const log = collect(runtime.logs(container.key, { container: 'main', follow: true }))
    const signal = AbortSignal.timeout(10_000)
    const attached = runtime.attach(container, { stdout: new PassThrough(), signal })
    await container.stop(1000)
    expect(typeof (await log)).toBe('string')
    expect((await attached).exitCode).toBe(container.exit?.exitCode)
  })

  test('forgets a run, and a pod, also those it never knew', async () => {
    const container = await runtime.start(fixture.spec(['sleep', '600']))
    await container.stop(0)
    await runtime.forget(container.key)
    await runtime.forget(container.key)
    await runtime.remove(container.key.podUid)
    await runtime.remove('0b5b1d7c-0000-4000-8000-000000000000')
    expect(await runtime.adopt()).toEqual([])
  })
})
