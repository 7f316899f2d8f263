import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readTokenIssuers, type TokenIssuers } from '../../../../src/cluster/auth/index.ts'
import { configurationOf, startIssuer, type TestIssuer } from './issuer.ts'

let issuer: TestIssuer
let log: string[] = []
let nowMs = Date.now()

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  log = []
  nowMs = Date.now()
  issuer.isDown = false
  issuer.described = {}
})

function issuers(more: object = {}): Promise<TokenIssuers> {
  const options = {
    signal: AbortSignal.timeout(60_000),
    now: () => nowMs,
    log: (line: string) => void log.push(line),
  }
  return readTokenIssuers(configurationOf(issuer, more), 'auth.yaml', options)
}

/** Whom a token makes of its bearer, or what the log says. */
async function who(token: string, more: object = {}): Promise<unknown> {
  const verified = await (await issuers(more)).verify(token)
  return verified?.user ?? log.at(-1)
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token of an issuer', () => {
  it('makes a user of its claims, for this server and until it expires', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600
    const token = await issuer.token({ groups: ['devs', 'ops'], jti: '17', exp })
    expect(await (await issuers()).verify(token)).toMatchObject({
      user: {
        name: 'oidc:bob',
        groups: ['oidc:devs', 'oidc:ops'],
        extra: { 'authentication.kubernetes.io/credential-id': ['JTI=17'] },
      },
      audiences: ['https://kubernetes.default.svc'],
      expiresAt: exp * 1000,
    })
    expect(await who(await issuer.token({ groups: 'devs' }))).toMatchObject({ groups: ['oidc:devs'] })
    expect(await who(await issuer.token())).toEqual({ name: 'oidc:bob', groups: [] })
  })

  it('is refused out of its time, for others, and with claims that are none', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const wrong: [object, string][] = [
      [{ exp: seconds - 1 }, 'oidc: verify token: token is expired (Token Expiry: 20'],
      [{ exp: undefined }, 'token is expired (Token Expiry: none)'],
      [{ nbf: seconds + 400 }, 'current time before the nbf (not before) time'],
      [{ aud: 'other' }, 'expected audience in [arena] got [other]'],
      [{ aud: ['other', 'more'] }, 'expected audience in [arena] got [other more]'],
      [{ sub: undefined }, 'oidc: parse username claims "sub": claim not present'],
      [{ sub: 17 }, 'oidc: parse username claims "sub": it is no text'],
      [{ groups: [1] }, 'oidc: parse groups claim "groups": it is neither a text nor a list of texts'],
      [{ _claim_names: { groups: 'src1' } }, 'oidc: could not expand distributed claims'],
    ]
    for (const [claims, message] of wrong) {
      expect(await who(await issuer.token({ ...claims }))).toContain(message)
    }
    expect(await who(await issuer.token({ nbf: seconds + 200, aud: ['other', 'arena'] }))).toMatchObject({
      name: 'oidc:bob',
    })
  })

  it('is refused when somebody else signed it, whatever it says of that', async () => {
    const [header = '', payload = '', signature = ''] = (await issuer.token()).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const other = part({ ...claims, sub: 'root' })
    expect(await who(`${header}.${other}.${signature}`)).toContain('failed to verify id token signature')
    for (const alg of ['none', 'HS256']) {
      const forged = part({ alg, kid: issuer.keys[0]?.kid ?? '' })
      const mac = createHmac('sha256', JSON.stringify(issuer.keys[0])).update(`${forged}.${other}`)
      expect(await who(`${forged}.${other}.${alg === 'none' ? '' : mac.digest('base64url')}`)).toContain(
        `id token signed with unsupported algorithm "${alg}"`,
      )
    }
    // Of nobody that is known: for others to judge, and not a word in the log.
    log = []
    for (const token of ['x', 'a.b.c', `${header}.${part({ ...claims, iss: 'https://evil.example' })}.x`]) {
      expect(await who(token)).toBeUndefined()
    }
  })

  it('may be signed by any algorithm of public keys', async () => {
    for (const algorithm of ['ES256', 'ES384', 'PS256', 'RS512']) {
      await issuer.rotate({ algorithm })
      expect(await who(await issuer.token()), algorithm).toMatchObject({ name: 'oidc:bob' })
    }
    await issuer.rotate()
  })
})

describe('keys', () => {
  it('are fetched with the first token, kept, and fetched again when a token names another one', async () => {
    const known = await issuers()
    issuer.asked.length = 0
    await known.verify(await issuer.token())
    await known.verify(await issuer.token({ sub: 'tom' }))
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys'])
    await issuer.rotate()
    expect(await known.verify(await issuer.token())).toBeUndefined()
    // Strangers cannot make this server ask all the time.
    expect(issuer.asked).toHaveLength(2)
    nowMs += 11_000
    expect(await known.verify(await issuer.token())).toMatchObject({ user: { name: 'oidc:bob' } })
    expect(issuer.asked).toHaveLength(4)
  })

  it('that cannot be had refuse tokens until they can', async () => {
    const known = await issuers()
    issuer.isDown = true
    expect(await known.verify(await issuer.token())).toBeUndefined()
    expect(log).toEqual([
      `Unable to authenticate the request: oidc: get "${issuer.url}/.well-known/openid-configuration": it answers with status 503`,
    ])
    issuer.isDown = false
    nowMs += 11_000
    expect(await known.verify(await issuer.token())).toMatchObject({ user: { name: 'oidc:bob' } })
  })

  it("of one who gives another name are nobody's, and so are those over a connection that is not trusted", async () => {
    issuer.described = { issuer: 'https://other.example' }
    expect(await who(await issuer.token())).toContain(
      `issuer did not match the issuer returned by provider, expected "${issuer.url}" got "https://other.example"`,
    )
    issuer.described = { jwks_uri: 'http://127.0.0.1/keys' }
    expect(await who(await issuer.token())).toContain('"http://127.0.0.1/keys" is no https address')
    issuer.described = {}
    const settings = { url: issuer.url, audiences: ['arena'] }
    expect(await who(await issuer.token(), { issuer: settings })).toMatch(
      /self.signed certificate in certificate chain|unable to (?:get|verify)/,
    )
  })

  it('may be described elsewhere', async () => {
    const issuerSettings = {
      url: 'https://login.example',
      discoveryURL: `${issuer.url}/.well-known/openid-configuration`,
      certificateAuthority: issuer.certificateAuthority,
      audiences: ['arena', 'other'],
      audienceMatchPolicy: 'MatchAny',
    }
    issuer.described = { issuer: 'https://login.example' }
    const token = await issuer.token({ iss: 'https://login.example', aud: 'other' })
    expect(await who(token, { issuer: issuerSettings })).toMatchObject({ name: 'oidc:bob' })
  })
})

describe('expressions', () => {
  const rules = {
    claimMappings: {
      username: { expression: "claims.email_verified ? claims.email.lowerAscii() : ''" },
      groups: { expression: "claims.?roles.orValue([]).map(role, 'role:' + role)" },
      uid: { claim: 'sub' },
      extra: [{ key: 'example.com/tenant', valueExpression: 'claims.?tenant.orValue(null)' }],
    },
    claimValidationRules: [
      { claim: 'hd', requiredValue: 'example.com' },
      { expression: 'claims.exp - claims.iat <= 86400', message: 'tokens last a day at most' },
    ],
    userValidationRules: [
      { expression: "!user.username.startsWith('system:')", message: 'system users are reserved' },
      { expression: "user.groups.all(group, group != 'role:nobody')", message: 'nobody may come' },
    ],
  }
  const claims = { email: 'Bob@Example.com', email_verified: true, hd: 'example.com', roles: ['a', ''] }

  it('map claims to users', async () => {
    expect(await who(await issuer.token({ ...claims, tenant: 't1' }), rules)).toEqual({
      name: 'bob@example.com',
      uid: 'bob',
      groups: ['role:a', 'role:'],
      extra: { 'example.com/tenant': ['t1'] },
    })
    expect(await who(await issuer.token({ ...claims, roles: undefined }), rules)).toEqual({
      name: 'bob@example.com',
      uid: 'bob',
      groups: [],
    })
  })

  it('refuse those for whom they do not hold', async () => {
    const day = 86_400
    const seconds = Math.floor(Date.now() / 1000)
    const wrong: [object, string][] = [
      [{ email_verified: false }, 'oidc: empty username via CEL expression is not allowed'],
      [{ email: undefined }, 'oidc: error evaluating username claim expression: no such key: email'],
      [
        { email: 'system:admin' },
        "validation expression '!user.username.startsWith('system:')' failed: system users are reserved",
      ],
      [{ roles: ['nobody'] }, 'failed: nobody may come'],
      [{ hd: undefined }, 'oidc: required claim hd not present in ID token'],
      [
        { hd: 'evil.example' },
        'oidc: required claim hd value does not match. Got = evil.example, want = example.com',
      ],
      [{ exp: seconds + 2 * day }, 'failed: tokens last a day at most'],
      [{ tenant: 17 }, 'expression must return a string or a list of strings'],
    ]
    for (const [more, message] of wrong) {
      expect(await who(await issuer.token({ ...claims, ...more }), rules)).toContain(message)
    }
  })
})
