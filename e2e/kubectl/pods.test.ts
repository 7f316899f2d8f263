import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OneNode, shellPod, startOneNode } from './one-node.ts'

const server = [
  'import http.server, os',
  'class Page(http.server.BaseHTTPRequestHandler):',
  '  def do_GET(self):',
  '    self.send_response(200); self.end_headers(); self.wfile.write(b"x" * 300000)',
  'served = http.server.HTTPServer(("127.0.0.1", 0), Page)',
  'print(served.server_port, flush=True)',
  'served.serve_forever()',
].join('\n')

describe('kubectl and running pods', () => {
  let node: OneNode
  const home = (file: string): string => join(node.stage.home('admin'), file)

  beforeAll(async () => {
    node = await startOneNode()
    await node.apply(
      shellPod('box', 'echo started; sleep 600', {
        initContainers: [{ name: 'before', image: 'busybox', command: ['echo', 'from-init'] }],
      }),
      shellPod('web', '', {
        containers: [{ name: 'main', image: 'busybox', command: ['python3', '-c', server] }],
      }),
    )
    await node.must('wait --for=condition=Ready pod/box pod/web --timeout=20s')
  })

  afterAll(async () => {
    await node.must('delete pods --all --grace-period=0 --force')
    await node.close()
  })

  it('runs a command and gives its exit code', async () => {
    const { status, output } = await node.kubectl('exec box -- sh -c', 'echo out; echo err >&2; exit 5')
    expect(status).toBe(5)
    expect(output).toContain('out')
    expect(output).toContain('err')
  })

  it('copies files both ways', async () => {
    const bytes = randomBytes(1_500_000)
    await writeFile(home('there.bin'), bytes)
    await node.must('cp there.bin box:/tmp/there.bin')
    const sum = createHash('sha256').update(bytes).digest('hex')
    expect(await node.must('exec box -- sha256sum /tmp/there.bin')).toContain(sum)
    await node.must('cp box:/tmp/there.bin back.bin')
    expect((await readFile(home('back.bin'))).equals(bytes)).toBe(true)
  })

  it('forwards a port to what the pod serves on its own loopback address', async () => {
    const port = (await node.must('logs web')).trim()
    const forward = spawn('kubectl', ['port-forward', 'web', `0:${port}`], {
      env: node.stage.environment('admin'),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface(forward.stdout), 'line')) as [string]
      const local = /127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      for (let round = 0; round < 3; round += 1) {
        const answer = await fetch(`http://127.0.0.1:${local}/`)
        expect((await answer.text()).length).toBe(300_000)
      }
    } finally {
      forward.kill()
    }
  })

  it('reads what a pod serves through the API server', async () => {
    // The first line: later ones tell who has asked.
    const [port = ''] = (await node.must('logs web')).split('\n')
    const path = `/api/v1/namespaces/default/pods/web:${port}/proxy/`
    expect((await node.must(`get --raw ${path}`)).length).toBe(300_000)
    const { status, output } = await node.kubectl('get --raw /api/v1/namespaces/default/pods/web:1/proxy/')
    expect(status).toBe(1)
    expect(output).toContain('error trying to reach service: dial tcp')
  })

  it('shows all of a short program that it attaches to, and how it ended', async () => {
    const { status, output } = await node.kubectl(
      'run short -i --rm --image=busybox --restart=Never --command -- sh -c',
      'echo hello; sleep 1; exit 7',
    )
    expect(status).toBe(7)
    expect(output).toContain('hello')
    expect(output).not.toContain("couldn't attach")
  })

  it('takes arguments alone for the command', async () => {
    await node.must('run args --image=busybox --restart=Never -- echo of-its-own')
    await node.must('wait --for=jsonpath={.status.phase}=Succeeded pod/args --timeout=20s')
    expect(await node.must('logs args')).toBe('of-its-own\n')
  })

  it.each([
    ['logs box', 'started\n'],
    ['logs box -c before', 'from-init\n'],
    ['logs -l app=box --prefix', '[pod/box/main] started\n'],
    ['logs box --limit-bytes=4', 'star'],
  ])('%s', async (line, expected) => {
    expect(await node.must(line)).toBe(expected)
  })

  it('shows the logs of all containers, which kubectl asks for in any order', async () => {
    const lines = (await node.must('logs box --all-containers --prefix')).trimEnd().split('\n')
    expect(lines.sort()).toEqual(['[pod/box/before] from-init', '[pod/box/main] started'])
  })

  it.each([
    ['logs box --previous', 'previous terminated container "main" in pod "box" not found'],
    ['logs box -c nope', 'container nope is not valid for pod box'],
    ['exec nope -- true', 'pods "nope" not found'],
    ['exec box -- nosuchprogram', 'executable file not found in $PATH'],
    ['attach args', 'cannot attach a container in a completed pod'],
    ['exec box --as bob -- true', 'User "bob" cannot get resource "pods"'],
  ])('refuses: %s', async (line, words) => {
    const { status, output } = await node.kubectl(line)
    expect(status, output).not.toBe(0)
    expect(output).toContain(words)
  })

  it('tells clients of the older protocol what to do, but first who may not anyway', async () => {
    expect(await openSpdy(node, {})).toMatch(/400.*only WebSocket: use kubectl 1.29 or newer/)
    expect(await openSpdy(node, { 'impersonate-user': 'bob' })).toMatch(
      /403.*cannot create resource \\"pods\/exec\\"/,
    )
  })
})

/** What the server answers a client that asks for SPDY, as kubectl did before 1.29. */
async function openSpdy(node: OneNode, headers: Readonly<Record<string, string>>): Promise<string> {
  const config: unknown = JSON.parse(await node.must('config view --raw --minify -o json'))
  // kubectl's own output.
  const { clusters, users } = config as {
    readonly clusters: readonly [
      { readonly cluster: { readonly server: string } & Readonly<Record<string, string>> },
    ]
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }]
  }
  const decoded = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
  const path = '/api/v1/namespaces/default/pods/box/exec?command=true&stdout=true'
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, clusters[0].cluster.server), {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...headers },
      ca: decoded(clusters[0].cluster['certificate-authority-data']),
      cert: decoded(users[0].user['client-certificate-data']),
      key: decoded(users[0].user['client-key-data']),
    })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let body = ''
      response.on('data', (piece: Buffer) => (body += piece.toString('utf8')))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
    })
    asked.end()
  })
}
