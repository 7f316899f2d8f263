import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../loopback.ts'

const sample = fileURLToPath(new URL('../../examples/tensorflow-sample-code/', import.meta.url))
const program = 'tfjob/docker/mnist/main.py'
const started: ChildProcess[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

interface Running {
  readonly child: ChildProcess
  readonly lines: string[]
  readonly ended: Promise<number | null>
  line(pattern: RegExp): Promise<string>
}

function start(parameters: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn('python3', [program, '--data_dir=data', ...parameters], {
    cwd: sample,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  const lines: string[] = []
  const waiting: (() => void)[] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    for (const wake of waiting.splice(0)) wake()
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return {
    child,
    lines,
    ended,
    async line(pattern) {
      for (;;) {
        const found = lines.find((line) => pattern.test(line))
        if (found !== undefined) return found
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

function finalAccuracy(lines: readonly string[]): number {
  const last = lines.find((line) => line.includes('finished after'))
  return Number(/test accuracy ([\d.]+) %/.exec(last ?? '')?.[1])
}

test('reads digits it has not seen with more than 90 % accuracy, and says how it is getting on', async () => {
  const run = start(['--max_steps', '1500', '--log_every', '500'])
  expect(await run.ended).toBe(0)
  expect(
    run.lines.filter((line) => /^step \d+: loss [\d.]+, test accuracy [\d.]+ %/.test(line)),
  ).toHaveLength(4)
  expect(finalAccuracy(run.lines)).toBeGreaterThan(90)
})

test('ends with 143 soon after SIGTERM and says how far it came', async () => {
  const run = start(['--max_steps', '1000000', '--log_every', '10'])
  await run.line(/^step 10:/)
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(143)
  expect(run.lines.some((line) => /stopped at step \d+/.test(line))).toBe(true)
})

test('says which data it misses', async () => {
  const run = spawn('python3', [program, '--data_dir=/nowhere'], { cwd: sample })
  started.push(run)
  let text = ''
  run.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  expect(await new Promise((resolve) => run.once('close', resolve))).toBe(1)
  expect(text).toContain('--data_dir=/nowhere')
})

test('learns together: two workers share their steps through a parameter server', async () => {
  const port = await freePort()
  const cluster = { ps: [`127.0.0.1:${port}`], worker: ['127.0.0.1:1', '127.0.0.1:2'] }
  const role = (type: string, index: number): Record<string, string> => ({
    TF_CONFIG: JSON.stringify({ cluster, task: { type, index } }),
  })
  const flags = ['--max_steps', '600', '--log_every', '200']
  const server = start(flags, role('ps', 0))
  const workers = [start(flags, role('worker', 0)), start(flags, role('worker', 1))]
  expect(await Promise.all([server, ...workers].map((one) => one.ended))).toEqual([0, 0, 0])
  expect(server.lines.at(-1)).toBe('ps: all workers are done')
  for (const worker of workers) {
    expect(worker.lines[0]).toMatch(/^role worker-[01] on /)
    expect(finalAccuracy(worker.lines)).toBeGreaterThan(85)
  }
})
