import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgentFixture, shell } from './agent-fixture.ts'

let fixture: AgentFixture

beforeAll(async () => {
  fixture = await AgentFixture.start()
})

afterAll(async () => {
  await fixture.close()
  // Nothing that the tests did was a failure of the agent's own.
  expect(fixture.errors).toEqual([])
})

describe('the agent', () => {
  test('finds its pods again after a restart, and they never notice', async () => {
    await fixture.create('survivor', shell('i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.05; done'))
    const before = await fixture.phase('survivor', 'Running')
    await fixture.restartAgent()
    const ref = { namespace: 'default', name: 'survivor', uid: before.metadata.uid }
    const signal = AbortSignal.timeout(10_000)
    const stdout = new PassThrough()
    const status = await fixture.agent.streams.exec(
      ref,
      { container: 'main', command: ['echo', 'still here'] },
      { stdout, signal },
    )
    expect([status.exitCode, String(stdout.read())]).toEqual([0, 'still here\n'])
    const after = await fixture.get('survivor')
    expect(after.status?.containerStatuses?.[0]).toMatchObject({
      containerID: before.status?.containerStatuses?.[0]?.containerID,
      restartCount: 0,
      ready: true,
    })
    await fixture.remove('survivor', 1)
    await expect.poll(async () => fixture.isGone('survivor'), { timeout: 10_000 }).toBe(true)
  })

  test('ends what belongs to pods that were removed while it was away', async () => {
    await fixture.create('orphan', shell('sleep 600'))
    const pod = await fixture.phase('orphan', 'Running')
    const state = join(fixture.dataDirectory, 'pods', pod.metadata.uid, 'containers/main/0/state.json')
    const { shim } = JSON.parse(readFileSync(state, 'utf8')) as { shim: number }
    const restarting = fixture.restartAgent()
    await fixture.remove('orphan', 0)
    await restarting
    await expect.poll(() => isAlive(shim), { timeout: 10_000 }).toBe(false)
  })

  test('lets go of everything of a pod that is removed', async () => {
    await fixture.create('leaving', shell('sleep 600'))
    const pod = await fixture.phase('leaving', 'Running')
    const directory = join(fixture.dataDirectory, 'pods', pod.metadata.uid)
    expect(statSync(directory).isDirectory()).toBe(true)
    await fixture.remove('leaving')
    await expect.poll(async () => fixture.isGone('leaving'), { timeout: 10_000 }).toBe(true)
    await expect
      .poll(() => statSync(directory, { throwIfNoEntry: false }), { timeout: 10_000 })
      .toBeUndefined()
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
