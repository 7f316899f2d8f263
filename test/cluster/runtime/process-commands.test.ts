import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isRoot, ProcessFixture } from './process-fixture.ts'

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
