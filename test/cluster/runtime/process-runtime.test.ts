import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endProcesses } from '../../../src/cluster/runtime/index.ts'
import { collect, isRoot, ProcessFixture } from './process-fixture.ts'

let fixture: ProcessFixture

beforeEach(() => {
  fixture = new ProcessFixture()
})

afterEach(async () => {
  await fixture.close()
})

describe('running a command', () => {
  test('runs the argument array as it is, with nothing read as shell text', async () => {
    const words = ['a b', '$HOME', '`id`', '"quoted"', "it's", '{{ .Values }}', 'ünïcode ✓', 'two\nlines', '']
    const script = 'import sys; print(repr(sys.argv[1:]))'
    const { output } = await fixture.run(['python3', '-c', script, ...words])
    // Python quotes as JavaScript does not: compare what it reads back.
    const again = await fixture.run([
      'python3',
      '-c',
      'import json,sys; print(json.dumps(sys.argv[1:]))',
      ...words,
    ])
    expect(JSON.parse(again.output)).toEqual(words)
    expect(output).not.toBe('')
  })

  test('gives the exit code, its reason and its times', async () => {
    const { exit } = await fixture.shell('exit 3')
    expect(exit).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(exit.finishedAt.getTime()).toBeGreaterThanOrEqual(exit.startedAt.getTime())
    expect((await fixture.shell('true')).exit).toMatchObject({ exitCode: 0, reason: 'Completed' })
  })

  test('tells a death by signal as 128 and the signal', async () => {
    const { exit } = await fixture.shell('kill -KILL $$')
    expect(exit).toMatchObject({ exitCode: 137, signal: 9, reason: 'Error' })
  })

  test('says so when the command does not exist', async () => {
    const { exit } = await fixture.run(['no-such-program'])
    expect(exit).toMatchObject({ exitCode: 128, reason: 'StartError' })
    expect(exit.message).toContain('exec: "no-such-program": executable file not found in $PATH')
  })

  test('refuses a container without a command, since there is no image to take one from', async () => {
    await expect(fixture.run([])).rejects.toMatchObject({
      reason: 'CreateContainerConfigError',
      message: expect.stringContaining('names no command'),
    })
  })

  test('keeps the termination message', async () => {
    const { exit } = await fixture.shell('echo out of luck > /dev/termination-log; exit 1')
    expect(exit.message).toBe('out of luck\n')
  })

  test('offers `python` where the machine has only `python3`', async () => {
    const { output } = await fixture.run(['python', '-c', 'print("hello")'])
    expect(output).toBe('hello\n')
  })

  test('gives the environment asked for and nothing of the server', async () => {
    process.env['ARENA_TEST_SECRET'] = 'of the server'
    try {
      const { output } = await fixture.run(['env'], { environment: { GREETING: 'a=b "c"\nd' } })
      expect(output).toContain('GREETING=a=b "c"\nd\n')
      expect(output).toContain('HOSTNAME=trainer\n')
      expect(output).toContain('HOME=/root\n')
      expect(output).toContain('NVIDIA_VISIBLE_DEVICES=void\n')
      expect(output).not.toContain('ARENA_TEST_SECRET')
    } finally {
      delete process.env['ARENA_TEST_SECRET']
    }
  })

  test('shows the GPUs that were given, and only those', async () => {
    const { output } = await fixture.run(['sh', '-c', 'echo $CUDA_VISIBLE_DEVICES'], { gpus: [1, 3] })
    expect(output).toBe('1,3\n')
  })

  test.runIf(isRoot)('runs under the ids asked for, without any capability', async () => {
    const { output } = await fixture.shell('id -u; id -g; id -G; grep -E "^(Cap|NoNew)" /proc/self/status', {
      identity: { uid: 20001, gid: 10001, groups: [10002, 30000] },
    })
    const [uid, gid, groups, ...rights] = output.trim().split('\n')
    expect([uid, gid, groups]).toEqual(['20001', '10001', '10001 10002 30000'])
    expect(rights).toHaveLength(6)
    for (const line of rights) expect(line).toMatch(/^(Cap\w+:\s0+|NoNewPrivs:\s1)$/)
  })

  test('gives a home of its own, where the user may write, as working directory', async () => {
    const { output, exit } = await fixture.shell('pwd; echo x > file && ls')
    expect(exit.exitCode).toBe(0)
    expect(output).toBe('/root\nfile\n')
  })

  test('makes a working directory that is not there', async () => {
    const { output, exit } = await fixture.shell('pwd; touch file && ls', {
      workingDirectory: '/workspace/job 1',
    })
    expect(exit.exitCode).toBe(0)
    expect(output).toBe('/workspace/job 1\nfile\n')
  })

  test('has a host name and a name service file of its own', async () => {
    writeFileSync(join(fixture.directory, 'hosts'), '127.64.0.7 trainer-ps-0.dev1.svc\n')
    const { output } = await fixture.shell('hostname; getent hosts trainer-ps-0.dev1.svc')
    expect(output).toMatch(/^trainer\n127\.64\.0\.7 /)
  })

  test('sees a change of the name service file while it runs', async () => {
    const container = await fixture.start([
      'sh',
      '-c',
      'echo up; until getent hosts late; do sleep 0.05; done',
    ])
    await fixture.line(container, 'up')
    writeFileSync(join(fixture.directory, 'hosts'), '127.64.0.8 late\n')
    expect(await container.exited).toMatchObject({ exitCode: 0 })
  })
})

describe('volumes', () => {
  test('appear at their paths, also where the machine has no such directory', async () => {
    const data = fixture.volume('data')
    writeFileSync(join(data, 'in'), 'content\n')
    for (const target of [
      '/data',
      '/root/code/repo',
      '/opt/ml/input',
      '/usr/share/no-such/place',
      '/etc/config',
    ]) {
      const { output, exit } = await fixture.shell(`cat ${target}/in; echo out > ${target}/out`, {
        mounts: [fixture.mount(data, target)],
      })
      expect([target, output, exit.exitCode]).toEqual([target, 'content\n', 0])
    }
    expect(readFileSync(join(data, 'out'), 'utf8')).toBe('out\n')
  })

  test('mounted for reading cannot be written, nor made writable', async () => {
    const data = fixture.volume('data')
    writeFileSync(join(data, 'in'), 'content\n')
    chmodSync(join(data, 'in'), 0o666)
    const { exit } = await fixture.shell(
      'echo x > /data/in || echo x > /data/new || mount -o remount,rw,bind /data || unshare -Urm sh -c "mount -o remount,rw,bind /data && echo x > /data/in"',
      { mounts: [fixture.mount(data, '/data', { readOnly: true })] },
    )
    expect(exit.exitCode).not.toBe(0)
    expect(readFileSync(join(data, 'in'), 'utf8')).toBe('content\n')
  })

  test('in memory have the size asked for', async () => {
    const { output } = await fixture.run(['df', '--output=size', '-k', '/dev/shm'], {
      mounts: [
        {
          target: '/dev/shm',
          source: { kind: 'memory', sizeBytes: 128 * 1024 * 1024 },
          readOnly: false,
        },
      ],
    })
    expect(output.trim().split('\n').at(-1)?.trim()).toBe(String(128 * 1024))
  })

  test('can be mounted in each other', async () => {
    const outer = fixture.volume('outer')
    const inner = fixture.volume('inner')
    writeFileSync(join(inner, 'file'), 'inner\n')
    const { output } = await fixture.run(['cat', '/job/a/b/file'], {
      mounts: [fixture.mount(inner, '/job/a/b'), fixture.mount(outer, '/job')],
    })
    expect(output).toBe('inner\n')
  })

  test('give a sub path, a single file too, and make a missing one', async () => {
    const data = fixture.volume('data')
    mkdirSync(join(data, 'sub'))
    writeFileSync(join(data, 'sub', 'file'), 'one\n')
    const { output } = await fixture.shell('cat /a/file /etc/one; touch /b/new && echo made', {
      mounts: [
        fixture.mount(data, '/a', { subPath: 'sub' }),
        fixture.mount(data, '/etc/one', { subPath: 'sub/file' }),
        fixture.mount(data, '/b', { subPath: 'fresh/deep' }),
      ],
    })
    expect(output).toBe('one\none\nmade\n')
    expect(existsSync(join(data, 'fresh', 'deep', 'new'))).toBe(true)
  })

  test('never follow a link out of the volume by a sub path', async () => {
    const data = fixture.volume('data')
    const secret = fixture.volume('secret')
    writeFileSync(join(secret, 'key'), 'secret\n')
    symlinkSync(secret, join(data, 'absolute'))
    symlinkSync('../secret', join(data, 'relative'))
    for (const subPath of ['absolute', 'relative', 'relative/key', 'absolute/new']) {
      const { exit, output } = await fixture.run(['ls', '/data'], {
        mounts: [fixture.mount(data, '/data', { subPath })],
      })
      expect(exit.reason).toBe('StartError')
      expect(output).toBe('')
    }
    expect(existsSync(join(secret, 'new'))).toBe(false)
  })

  test('whose mount point is a link in another volume stay inside of the container', async () => {
    const outer = fixture.volume('outer')
    const inner = fixture.volume('inner')
    const victim = fixture.volume('victim')
    symlinkSync(victim, join(outer, 'link'))
    await fixture.run(['true'], {
      mounts: [fixture.mount(outer, '/job'), fixture.mount(inner, '/job/link/deeper')],
    })
    expect(existsSync(join(victim, 'deeper'))).toBe(false)
  })
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

describe('exec', () => {
  test('runs beside the container, under its ids and with its environment', async () => {
    const container = await fixture.start(['sleep', '600'], { environment: { MARK: 'here' } })
    const { stdout, status } = await exec(
      ['sh', '-c', 'echo $MARK; id -u; cat /proc/1/comm; exit 4'],
      container,
    )
    expect(status).toEqual({ exitCode: 4 })
    expect(stdout).toMatch(isRoot ? /^here\n20001\npython3\n$/ : /^here\n/)
  })

  test('passes stdin through to its end', async () => {
    const container = await fixture.start(['sleep', '600'])
    const stdin = new PassThrough()
    stdin.end('three\nlines\nof text')
    const { stdout } = await exec(['wc', '-c'], container, { stdin })
    expect(stdout.trim()).toBe('19')
  })

  test('says when the command does not exist', async () => {
    const container = await fixture.start(['sleep', '600'])
    const { status } = await exec(['no-such-program'], container)
    expect(status).toMatchObject({ exitCode: 127, message: expect.stringContaining('no-such-program') })
  })

  test('gives a terminal with the size of the client', async () => {
    const container = await fixture.start(['sleep', '600'])
    async function* sizes(): AsyncGenerator<{ rows: number; columns: number }> {
      yield { rows: 33, columns: 101 }
    }
    const script =
      'test -t 0 && test -t 1; echo tty $?; until [ "$(stty size)" = "33 101" ]; do sleep 0.05; done; echo sized'
    const { stdout } = await exec(['sh', '-c', script], container, { tty: true, resize: sizes() })
    expect(stdout).toBe('tty 0\r\nsized\r\n')
  })

  test('is killed when the client goes away', async () => {
    const marker = `603.${process.pid}${Math.floor(Math.random() * 1e6)}`
    const container = await fixture.start(['sleep', '600'])
    const gone = new AbortController()
    const stdout = new PassThrough()
    const running = fixture.runtime.exec(
      container,
      { command: ['sh', '-c', `echo up; sleep ${marker}`], tty: false },
      { stdout, signal: gone.signal },
    )
    await new Promise((resolve) => stdout.once('data', resolve))
    gone.abort()
    expect(await running).toMatchObject({ exitCode: 137 })
    expect(runningWith(marker)).toBe(0)
  })

  async function exec(
    command: readonly string[],
    container: Awaited<ReturnType<ProcessFixture['start']>>,
    more: {
      stdin?: PassThrough
      tty?: boolean
      resize?: AsyncIterable<{ rows: number; columns: number }>
    } = {},
  ): Promise<{ stdout: string; status: { exitCode: number; message?: string } }> {
    const stdout = new PassThrough()
    const text = collect(stdout)
    const { tty = false, ...streams } = more
    const status = await fixture.runtime.exec(
      container,
      { command, tty },
      { ...streams, stdout, signal: AbortSignal.timeout(20_000) },
    )
    return { stdout: await text, status }
  }
})

describe('attach', () => {
  test('feeds stdin and shows all output to the first who attaches, then what is written from now on', async () => {
    const container = await fixture.start(
      ['sh', '-c', 'echo early; while read word; do echo got $word; done; echo end'],
      {
        stdin: true,
      },
    )
    await fixture.line(container, 'early')
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const text = collect(stdout)
    const attached = fixture.runtime.attach(container, { stdin, stdout, signal: AbortSignal.timeout(20_000) })
    await once(stdout, 'data')
    const later = new PassThrough()
    const laterText = collect(later)
    const second = fixture.runtime.attach(container, { stdout: later, signal: AbortSignal.timeout(20_000) })
    // The second sees what is written once it follows: something is said until it does.
    const seen: unknown[] = []
    later.on('data', (piece) => seen.push(piece))
    let rounds = 0
    for (; seen.length === 0 && rounds < 500; rounds++) {
      const answer = once(stdout, 'data')
      stdin.write('hello\n')
      await answer
    }
    stdin.end('rest\n')
    expect(await attached).toEqual({ exitCode: 0 })
    await second
    stdout.end()
    later.end()
    expect(await text).toBe(`early\n${'got hello\n'.repeat(rounds)}got rest\nend\n`)
    expect(await laterText).toMatch(/^(got hello\n)+got rest\nend\n$/)
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

/** Processes of this machine whose command line has the text, other than shells that only mention it. */
function runningWith(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return words.includes(text)
    } catch {
      return false
    }
  }).length
}
