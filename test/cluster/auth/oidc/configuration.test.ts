import { describe, expect, it } from 'vitest'
import { readTokenIssuers } from '../../../../src/cluster/auth/index.ts'

const options = { signal: new AbortController().signal, now: Date.now, log: () => undefined }

async function faultsOf(text: string): Promise<readonly string[]> {
  try {
    await readTokenIssuers(text, 'auth.yaml', options)
    return []
  } catch (error) {
    if (!(error instanceof Error)) throw error
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return error.message.split('\n  ').slice(1)
  }
}

const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n'
const entry = (more: object): string => `${head}jwt: ${JSON.stringify([entryOf(more)])}`
const entryOf = ({
  issuer = {},
  claimMappings = {},
  ...more
}: {
  issuer?: object
  claimMappings?: object
}) => ({
  issuer: { url: 'https://login.example', audiences: ['arena'], ...issuer },
  claimMappings: { username: { claim: 'sub', prefix: '' }, ...claimMappings },
  ...more,
})

describe('an authentication configuration', () => {
  it('may be empty, or what Kubernetes documents', async () => {
    expect(await faultsOf(head)).toEqual([])
    expect(await faultsOf(entry({}))).toEqual([])
  })

  it.each([
    ['jwt: 1', ['jwt: Invalid type: Expected Array but received 1']],
    [
      'anonymous: { enabled: false }',
      [
        'anonymous: Forbidden: this cluster answers requests without credentials as system:anonymous, and RBAC decides',
      ],
    ],
    ['jwks: []', ['jwks: Invalid key: Expected never but received "jwks"']],
  ])('names what it cannot be: %s', async (line, faults) => {
    expect(await faultsOf(head + line)).toEqual(faults)
  })

  it.each([
    [{ issuer: { url: '' } }, 'jwt[0].issuer.url: Required value'],
    [
      { issuer: { url: 'http://login.example' } },
      'jwt[0].issuer.url: Invalid value: "http://login.example": URL scheme must be https',
    ],
    [{ issuer: { url: 'https://a:b@login.example?x#y' } }, 'URL must not contain a username or password'],
    [
      { issuer: { url: 'https://kubernetes.default.svc' } },
      'URL must not overlap with disallowed issuers: [https://kubernetes.default.svc]',
    ],
    [
      { issuer: { discoveryURL: 'https://login.example/' } },
      'jwt[0].issuer.discoveryURL: Invalid value: "https://login.example/": discoveryURL must be different from URL',
    ],
    [
      { issuer: { audiences: [] } },
      'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
    ],
    [{ issuer: { audiences: ['a', 'a'] } }, 'jwt[0].issuer.audiences[1]: Duplicate value: "a"'],
    [
      { issuer: { audiences: ['a', 'b'] } },
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
    [
      { issuer: { certificateAuthority: 'x' } },
      'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
    ],
    [
      { claimMappings: { username: {} } },
      'jwt[0].claimMappings.username: Required value: claim or expression is required',
    ],
    [
      { claimMappings: { username: { claim: 'sub' } } },
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ],
    [
      { claimMappings: { username: { claim: 'sub', expression: 'claims.sub' } } },
      'jwt[0].claimMappings.username: Invalid value: "": claim and expression can\'t both be set',
    ],
    [
      { claimMappings: { groups: { expression: 'claims.groups', prefix: 'x' } } },
      'jwt[0].claimMappings.groups.prefix: Invalid value: "x": may not be specified when expression is set',
    ],
    [
      { claimMappings: { username: { expression: 'claims.email' } } },
      'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in',
    ],
    [
      { claimMappings: { username: { expression: 'claimz.sub' } } },
      'jwt[0].claimMappings.username.expression: Invalid value: "claimz.sub": compilation failed: ERROR: <input>:1:1: undeclared reference to \'claimz\'',
    ],
    [
      { claimMappings: { extra: [{ key: 'Foo', valueExpression: '' }] } },
      'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be lowercase',
    ],
    [
      { claimMappings: { extra: [{ key: 'x.k8s.io/a', valueExpression: 'claims.a' }] } },
      'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    ],
    [
      { claimValidationRules: [{}] },
      'jwt[0].claimValidationRules[0]: Required value: claim or expression is required',
    ],
    [
      { claimValidationRules: [{ claim: 'a', message: 'm' }] },
      'jwt[0].claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set',
    ],
    [
      { claimValidationRules: [{ expression: "'a'" }] },
      'jwt[0].claimValidationRules[0].expression: Invalid value: "\'a\'": must evaluate to bool',
    ],
    [
      { userValidationRules: [{ expression: 'true' }, { expression: 'true' }] },
      'jwt[0].userValidationRules[1].expression: Duplicate value: "true"',
    ],
    [{ userValidationRules: [{ expression: 'claims.a' }] }, "undeclared reference to 'claims'"],
  ])('names each fault by its field: %j', async (more, fault) => {
    const faults = await faultsOf(entry(more))
    expect(faults.join('\n')).toContain(fault)
  })

  it('names issuers that come twice', async () => {
    const text = `${head}jwt: ${JSON.stringify([entryOf({}), entryOf({})])}`
    expect(await faultsOf(text)).toEqual(['jwt[1].issuer.url: Duplicate value: "https://login.example"'])
  })
})
