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

const ok: ApiResponse = { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' }

/** The server's documents that do not depend on what it serves. */
export function documents(tokens: AccountTokens): Documents {
  return {
    '/version': () => jsonAnswer(200, JSON.stringify(version)),
    '/healthz': () => ok,
    '/livez': () => ok,
    '/readyz': () => ok,
    '/.well-known/openid-configuration': async () =>
      jsonAnswer(200, JSON.stringify((await tokens.discovery()).configuration)),
    '/openid/v1/jwks': async () => ({
      status: 200,
      headers: { 'content-type': 'application/jwk-set+json' },
      body: JSON.stringify((await tokens.discovery()).keys),
    }),
  }
}
