import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endProcesses } from '../../../src/cluster/runtime/index.ts'
import { collect, isRoot, ProcessFixture, runningWith } from './process-fixture.ts'

let fixture: ProcessFixture

beforeEach(() => {
  fixture = new ProcessFixture()
})

afterEach(async () => {
  await fixture.close()
})

describe('limits', () => {
  test.runIf(isRoot && existsSync('/sys/fs/cgroup'))(
    'names the memory limit as the reason of an end by it',
    async () => {
      const container = await fixture.start(['python3', '-c', 'x = bytearray(400 << 20); print(len(x))'], {
        limits: { memoryBytes: 64 << 20, cpu: 1 },
      })
      const exit = await container.exited
      const isLimited = container.notices.every(({ reason }) => reason !== 'LimitsNotEnforced')
      expect(exit).toMatchObject(isLimited ? { exitCode: 137, reason: 'OOMKilled' } : { exitCode: 0 })
    },
  )
})

describe('stopping', () => {
  test('asks with the stop signal and waits', async () => {
    const container = await fixture.start([
      'sh',
      '-c',
      'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.05; done',
    ])
    await fixture.line(container, 'up')
    expect(await container.stop(20_000)).toMatchObject({ exitCode: 7 })
    expect(await fixture.log(container)).toBe('up\nbye\n')
  })

  test('ends a program that knows nothing of signals at once', async () => {
    const container = await fixture.start([
      'python3',
      '-c',
      'import time; print("up", flush=True); time.sleep(600)',
    ])
    await fixture.line(container, 'up')
    const since = performance.now()
    expect(await container.stop(20_000)).toMatchObject({ exitCode: 143, signal: 15 })
    expect(performance.now() - since).toBeLessThan(10_000)
  })

  test('kills what does not listen, with everything it started', async () => {
    const marker = `600.${process.pid}${Math.floor(Math.random() * 1e6)}`
    const script = `trap "" TERM; setsid sleep ${marker} & (sleep ${marker} &) ; echo up; while :; do sleep 0.05; done`
    const container = await fixture.start(['sh', '-c', script])
    await fixture.line(container, 'up')
    expect(runningWith(marker)).toBeGreaterThan(0)
    expect(await container.stop(100)).toMatchObject({ exitCode: 137 })
    expect(runningWith(marker)).toBe(0)
  })

  test('leaves nothing behind when the command itself ends', async () => {
    const marker = `601.${process.pid}${Math.floor(Math.random() * 1e6)}`
    const { exit } = await fixture.shell(`setsid sleep ${marker} & echo done`)
    expect(exit.exitCode).toBe(0)
    expect(runningWith(marker)).toBe(0)
  })

  test('can be hurried', async () => {
    const container = await fixture.start(['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'])
    await fixture.line(container, 'up')
    const slow = container.stop(600_000)
    expect(await container.stop(0)).toMatchObject({ exitCode: 137 })
    expect(await slow).toMatchObject({ exitCode: 137 })
  })

  test.runIf(isRoot)(
    'ends the container when its supervisor is killed, and says that it was lost',
    async () => {
      const marker = `602.${process.pid}${Math.floor(Math.random() * 1e6)}`
      const container = await fixture.start(['sh', '-c', `echo up; sleep ${marker}`])
      await fixture.line(container, 'up')
      process.kill(stateOf(fixture, 0).shim, 'SIGKILL')
      expect(await container.exited).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' })
      await expect.poll(() => runningWith(marker), { timeout: 10_000 }).toBe(0)
    },
  )
})

describe('a restart of the program', () => {
  test('finds a running container again, with its log and its end', async () => {
    const container = await fixture.start(
      ['sh', '-c', 'echo before; read line < /data/go; echo $line; exit 5'],
      {
        mounts: [fixture.mount(prepareFifo(fixture), '/data')],
      },
    )
    await fixture.line(container, 'before')
    fixture.runtime.close()
    const again = fixture.restarted()
    const [found] = await again.adopt()
    expect(found).toMatchObject({ id: container.id, exit: undefined })
    execFileSync('sh', ['-c', 'echo after > "$0"', join(fixture.directory, 'volumes', 'fifo', 'go')])
    expect(await found?.exited).toMatchObject({ exitCode: 5, reason: 'Error' })
    expect(await collect(again.logs(container.key, { container: 'main' }))).toBe('before\nafter\n')
  })

  test('can end everything that was left running', async () => {
    const marker = `605.${process.pid}${Math.floor(Math.random() * 1e6)}`
    const container = await fixture.start(['sh', '-c', `echo up; sleep ${marker}`])
    await fixture.line(container, 'up')
    fixture.runtime.close()
    await endProcesses(fixture.dataDirectory)
    expect(runningWith(marker)).toBe(0)
    await endProcesses(join(fixture.directory, 'never-used'))
  })

  test('finds the end of a container that ended meanwhile', async () => {
    const { exit } = await fixture.shell('exit 9')
    const [found] = await fixture.restarted().adopt()
    expect(found?.exit).toEqual(exit)
  })
})

function stateOf(one: ProcessFixture, attempt: number): { shim: number } {
  const path = join(
    one.dataDirectory,
    'pods',
    one.podUid,
    'containers',
    'main',
    String(attempt),
    'state.json',
  )
  return JSON.parse(readFileSync(path, 'utf8')) as { shim: number }
}

function prepareFifo(one: ProcessFixture): string {
  const directory = one.volume('fifo')
  const path = join(directory, 'go')
  execFileSync('mkfifo', ['-m', '666', path])
  return directory
}
