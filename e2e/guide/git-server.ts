import { execFile, spawn } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A git repository served over HTTP on loopback. */
export interface GitServer {
  /** `http://127.0.0.1:PORT/NAME.git` */
  readonly url: string
  close(): Promise<void>
}

/** Makes a repository of a directory's files and serves it as git's own server does (git-http-backend(1)). */
export async function serveAsRepository(options: {
  readonly source: string
  readonly name: string
  /** An empty directory for the repository. */
  readonly workDirectory: string
}): Promise<GitServer> {
  const { source, name, workDirectory } = options
  const checkout = join(workDirectory, 'checkout')
  const bare = join(workDirectory, `${name}.git`)
  await mkdir(workDirectory, { recursive: true })
  await cp(source, checkout, { recursive: true })
  const git = (...words: string[]): Promise<unknown> =>
    run('git', [
      '-c',
      'user.name=Example',
      '-c',
      'user.email=example@example.com',
      '-c',
      'init.defaultBranch=main',
      ...words,
    ])
  await git('-C', checkout, 'init', '--quiet')
  await git('-C', checkout, 'add', '--all')
  await git('-C', checkout, 'commit', '--quiet', '--message', 'Train on handwritten digits')
  await git('clone', '--quiet', '--bare', checkout, bare)
  const server = createServer((request, response) => backend(workDirectory, request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/${name}.git`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** Hands a request to git's CGI program (RFC 3875). */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      // The repository belongs to whoever runs this.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.on('error', () => response.destroy())
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  let isHead = true
  child.stdout.on('data', (piece: Buffer) => {
    if (!isHead) {
      response.write(piece)
      return
    }
    head = Buffer.concat([head, piece])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    isHead = false
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const colon = line.indexOf(':')
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()]
      if (name.toLowerCase() === 'status') response.statusCode = Number(value.split(' ')[0])
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
  })
  child.stdout.on('end', () => response.end())
}
