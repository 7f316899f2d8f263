import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const execute = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
let directory: string
let server: Server
let asked: (request: IncomingMessage) => void = () => undefined

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-process-'))
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await execute(process.execPath, [join(root, 'scripts', 'build.mjs'), join(directory, 'dist')])
  server = createServer((request, response) => {
    asked(request)
    // A watch that never tells anything; every list is empty.
    if (request.url?.includes('watch=')) response.writeHead(200)
    else response.end('{"items":[],"metadata":{"resourceVersion":"1"}}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await writeFile(join(directory, 'config'), kubeconfig(`http://127.0.0.1:${port}`))
  await writeFile(join(directory, 'unreachable'), kubeconfig('https://127.0.0.1:1'))
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(directory, { recursive: true, force: true })
})

function kubeconfig(address: string): string {
  return JSON.stringify({
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server: address } }],
    users: [{ name: 'a', user: {} }],
  })
}

function start(words: readonly string[], config = 'config'): ChildProcess {
  return spawn(process.execPath, [join(directory, 'dist', 'arena.js'), ...words], {
    env: { HOME: directory, PATH: process.env['PATH'], KUBECONFIG: join(directory, config) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function run(
  words: readonly string[],
  config?: string,
): Promise<{ status: unknown; out: string; err: string }> {
  const child = start(words, config)
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [status] = await once(child, 'close')
  return { status, out, err }
}

describe('the program', () => {
  it('tells its version', async () => {
    expect((await run(['version'])).out).toMatch(/^arena: v\d+\.\d+\.\d+.*\n[\s\S]*NodeVersion: v\d+/)
    expect((await run(['version', '--short'])).out).toMatch(/^arena: v[^\n]*\n$/)
    expect((await run(['version', '--help'])).out).toContain('Usage:\n  arena version')
  })

  it('prints a list and ends with 0', async () => {
    const { status, out, err } = await run(['list'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/^NAME +STATUS/)
  })

  it('runs everyday commands and all others alike', async () => {
    for (const words of [
      ['-n', 'list', 'quota'],
      ['top', 'node', '--help'],
      ['group', 'list', '--help'],
      ['top'],
    ]) {
      expect(await run(words)).toMatchObject({ status: 0 })
    }
    expect(await run(['lisst', 'quota'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('arena list'),
    })
  })

  it('starts with what the build kept compiled, and without it or with a spoilt one alike', async () => {
    const spoilt = join(directory, 'spoilt')
    await cp(join(directory, 'dist'), spoilt, { recursive: true })
    const kept = join(spoilt, 'all.js.code')
    const whole = await readFile(kept)
    const damaged = Buffer.from(whole)
    damaged.fill(255, damaged.length / 2, damaged.length / 2 + 64)
    const expected = await run(['group', '--help'])
    expect(expected.out).toContain('arena group COMMAND')
    for (const content of [whole, damaged, whole.subarray(0, 1000), Buffer.alloc(0), undefined]) {
      if (content) await writeFile(kept, content)
      else await rm(kept)
      const { stdout } = await execute(process.execPath, [join(spoilt, 'arena.js'), 'group', '--help'])
      expect(stdout).toBe(expected.out)
    }
  })

  it('asks the helper that a kubeconfig names for a token', async () => {
    const { users: _, ...rest } = JSON.parse(await readFile(join(directory, 'config'), 'utf8'))
    const apiVersion = 'client.authentication.k8s.io/v1'
    const answer = { apiVersion, kind: 'ExecCredential', status: { token: 'from-the-helper' } }
    const exec = { apiVersion, command: 'echo', args: [JSON.stringify(answer)], interactiveMode: 'Never' }
    await writeFile(
      join(directory, 'helped'),
      JSON.stringify({ ...rest, users: [{ name: 'a', user: { exec } }] }),
    )
    for (const words of [['list'], ['login']]) {
      let sent: unknown
      asked = (request) => (sent = request.headers.authorization)
      await run(words, 'helped')
      expect(sent, words.join(' ')).toBe('Bearer from-the-helper')
    }
  })

  it('says in words and by its status that the cluster cannot be reached, or that there is no kubeconfig', async () => {
    expect(await run(['list'], 'unreachable')).toEqual({
      status: 5,
      out: '',
      err: expect.stringMatching(
        /^error: cannot reach the cluster at https:\/\/127\.0\.0\.1:1: nothing listens there\nhint: /,
      ),
    })
    expect(await run(['list'], 'none')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^error: no kubeconfig found at /),
    })
    expect((await run(['list'], 'unreachable')).err).not.toContain('    at ')
    expect((await run(['list', '--loglevel', 'debug'], 'unreachable')).err).toContain(
      'cause: Error: connect ECONNREFUSED',
    )
  })

  it('ends without a word when its reader has had enough', async () => {
    const child = start(['--help'])
    child.stdout?.destroy()
    let err = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
    const [status] = await once(child, 'close')
    expect({ status, err }).toEqual({ status: 0, err: '' })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 130 and no stack on %s', async (signal) => {
    const child = start(['submit', 'tf', '--name=a', '--image=i', '--wait', 'true'])
    let err = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
    await new Promise<void>((resolve) => {
      asked = () => resolve()
    })
    child.kill(signal)
    const [status] = await once(child, 'close')
    expect({ status, err }).toEqual({ status: 130, err: '' })
  })
})
