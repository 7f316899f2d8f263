import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collect, isRoot, ProcessFixture, runningWith } from './process-fixture.ts'

let fixture: ProcessFixture

beforeEach(() => {
  fixture = new ProcessFixture()
})

afterEach(async () => {
  await fixture.close()
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
