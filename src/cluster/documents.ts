import type { AccountTokens } from './auth/index.ts'
import { type ApiResponse, type Documents, jsonAnswer } from './http/index.ts'

/** What `/version` says: the Kubernetes version whose behaviour this server follows. */
const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+arena',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}

const plain = { 'content-type': 'text/plain; charset=utf-8' }
const ok: ApiResponse = { status: 200, headers: plain, body: 'ok' }

/** What the server is asked about under `/healthz` and the like: when it answers at all, all of it is well. */
const checks = ['ping', 'log', 'etcd']

/** `/healthz`, `/livez` or `/readyz`, in one word or check by check, and each check by itself. */
function health(name: string): Documents {
  const all = name === 'readyz' ? [...checks, 'informer-sync', 'shutdown'] : checks
  return {
    [`/${name}`]: (_api, { query }) => {
      if (!query.has('verbose')) return ok
      const excluded = new Set(query.getAll('exclude'))
      const lines = all.map((check) => `[+]${check} ${excluded.has(check) ? 'excluded: ok' : 'ok'}`)
      return { status: 200, headers: plain, body: `${lines.join('\n')}\n${name} check passed\n` }
    },
    ...Object.fromEntries(all.map((check) => [`/${name}/${check}`, () => ok])),
  }
}

/** Keys change so rarely that whoever verifies tokens may keep what it got for an hour. */
const keep = { 'cache-control': 'public, max-age=3600' }

/** The server's documents that do not depend on what it serves. `address` is `host:port`. */
export function documents(tokens: AccountTokens, address: () => string): Documents {
  return {
    '/version': () => jsonAnswer(200, JSON.stringify(version)),
    ...health('healthz'),
    ...health('livez'),
    ...health('readyz'),
    '/.well-known/openid-configuration': async () => ({
      status: 200,
      headers: { 'content-type': 'application/json', ...keep },
      body: JSON.stringify((await tokens.discovery(address())).configuration),
    }),
    '/openid/v1/jwks': async () => ({
      status: 200,
      headers: { 'content-type': 'application/jwk-set+json', ...keep },
      body: JSON.stringify((await tokens.discovery(address())).keys),
    }),
  }
}
