import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CredentialSource, type CredentialWorld, currentToken } from '../../src/credentials/index.ts'
import { UserError } from '../../src/errors.ts'

type Request = NonNullable<CredentialWorld['request']>

const hour = 3600
const day = 24 * hour

/** A server that knows which tokens it made, with a clock of its own. */
class TokenServer {
  nowSeconds = 1_800_000_000
  asked: { token: string; lifetimeSeconds: number }[] = []
  revoked = false
  #made = 0

  make(lifetimeSeconds: number): string {
    const claims = { iat: this.nowSeconds, exp: this.nowSeconds + lifetimeSeconds, id: (this.#made += 1) }
    return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
  }

  readonly request: Request = async (_cluster, _account, { token, lifetimeSeconds }) => {
    this.asked.push({ token, lifetimeSeconds })
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    if (this.revoked || exp <= this.nowSeconds)
      return { result: 'refused', serverTimeMs: this.nowSeconds * 1000 }
    return { result: 'granted', token: this.make(lifetimeSeconds) }
  }
}

let home: string
let server: TokenServer
let clockOffsetSeconds: number

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'arena-credential-'))
  server = new TokenServer()
  clockOffsetSeconds = 0
})
afterEach(() => rm(home, { recursive: true, force: true }))

function world(more: Partial<CredentialWorld> = {}): CredentialWorld {
  return {
    home,
    now: () => new Date((server.nowSeconds + clockOffsetSeconds) * 1000),
    request: server.request,
    ...more,
  }
}

function source(firstToken: string): CredentialSource {
  return {
    cluster: { server: 'https://127.0.0.1:6443' },
    account: { namespace: 'dev1', name: 'bob' },
    firstToken,
  }
}

describe('the token of a user', () => {
  it('is asked for once and then kept, for the owner alone', async () => {
    const bob = source(server.make(30 * day))
    const first = await currentToken(bob, world())
    const second = await currentToken(bob, world())
    expect(second.token).toBe(first.token)
    expect(server.asked.map(({ lifetimeSeconds }) => lifetimeSeconds)).toEqual([hour, 30 * day])
    const directory = join(home, '.kube', 'arena')
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    const files = await readdir(directory)
    expect(files).toHaveLength(1)
    expect((await stat(join(directory, files[0] ?? ''))).mode & 0o777).toBe(0o600)
  })

  it('is renewed before it expires, long after the first one of the kubeconfig is dead', async () => {
    const bob = source(server.make(30 * day))
    await currentToken(bob, world())
    for (let days = 0; days < 100; days += 20) {
      server.nowSeconds += 20 * day
      const held = await currentToken(bob, world())
      expect(held.expiresAtMs).toBeGreaterThan(server.nowSeconds * 1000)
    }
  })

  it('is renewed by one of many programs that want it at the same time', async () => {
    const bob = source(server.make(30 * day))
    const tokens = await Promise.all(Array.from({ length: 20 }, () => currentToken(bob, world())))
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1)
    expect(server.asked).toHaveLength(2)
  })

  it('is good whatever the clock of this machine says', async () => {
    const bob = source(server.make(30 * day))
    for (const offset of [0, 40 * day, -40 * day]) {
      clockOffsetSeconds = offset
      const held = await currentToken(bob, world())
      const { exp } = JSON.parse(Buffer.from(held.token.split('.')[1] ?? '', 'base64url').toString())
      expect(exp).toBeGreaterThan(server.nowSeconds)
    }
  })

  it('that expired is told from an account that was removed', async () => {
    const bob = source(server.make(30 * day))
    await currentToken(bob, world())
    server.nowSeconds += 31 * day
    await expect(currentToken(bob, world())).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/^the credentials of account "dev1\/bob" expired on 20/),
      hint: 'ask your admin for a new kubeconfig: arena user kubeconfig bob',
    })
    const tom = source(server.make(30 * day))
    server.revoked = true
    await expect(
      currentToken({ ...tom, account: { namespace: 'dev2', name: 'tom' } }, world()),
    ).rejects.toMatchObject({
      message: expect.stringContaining('the account was removed or made anew'),
    })
  })

  it('that is refused under a wrong clock says by how much the clock is wrong', async () => {
    server.revoked = true
    clockOffsetSeconds = -3 * hour
    await expect(currentToken(source(server.make(day)), world())).rejects.toMatchObject({
      hint: expect.stringContaining("the clock of this machine is 3 hours behind the cluster's"),
    })
  })

  it('falls back to a new kubeconfig after the account was made anew', async () => {
    await currentToken(source(server.make(30 * day)), world())
    const old = server.request
    const fresh = server.make(30 * day)
    const request: Request = async (cluster, account, options) =>
      options.token === fresh ? old(cluster, account, options) : { result: 'refused' }
    server.nowSeconds += 2 * hour
    await expect(currentToken(source(fresh), world({ request }))).resolves.toMatchObject({
      token: expect.any(String),
    })
  })

  it('comes from a new kubeconfig at once, whatever an earlier one left behind that still looks good', async () => {
    const old = await currentToken(source(server.make(30 * day)), world())
    server.nowSeconds += 60
    const fresh = source(server.make(30 * day))
    const held = await currentToken(fresh, world())
    expect(held.token).not.toBe(old.token)
    expect((await currentToken(fresh, world())).token).toBe(held.token)
  })

  it('works from a home that cannot be written to, and never leaks into an error', async () => {
    const firstToken = server.make(30 * day)
    await writeFile(join(home, '.kube'), 'a file in the way')
    await currentToken(source(firstToken), world())
    const request: Request = async () => {
      throw new UserError('CLUSTER_UNREACHABLE', 'no answer')
    }
    const error: unknown = await currentToken(source(firstToken), world({ request })).catch(
      (cause: unknown) => cause,
    )
    expect(JSON.stringify(error)).not.toContain(firstToken)
    expect(error).toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })

  it('survives a damaged file and a lock that was left behind', async () => {
    const bob = source(server.make(30 * day))
    await currentToken(bob, world())
    const directory = join(home, '.kube', 'arena')
    const [name = ''] = await readdir(directory)
    await writeFile(join(directory, name), '{"access":')
    await mkdir(directory, { recursive: true })
    await expect(currentToken(bob, world())).resolves.toMatchObject({ token: expect.any(String) })
    expect(JSON.parse(await readFile(join(directory, name), 'utf8'))).toHaveProperty('renewal')
  })
})
