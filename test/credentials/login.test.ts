import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issueFirstToken } from '../../src/credentials/index.ts'
import { connectionOf, kinds, readKubeconfig } from '../../src/kube/index.ts'
import { openOrganisation, type Printed, type TestOrganisation } from '../tenancy/organisation.ts'

/** A token of an account stands for that of an OpenID Connect provider: both reach the server in the same way. */
let token: string
let cluster: object
let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
  await company.client.create(kinds.serviceAccounts, { metadata: { name: 'bob' } }, { namespace: 'default' })
  token = await issueFirstToken(company.client, { namespace: 'default', name: 'bob' })
  const environment = { KUBECONFIG: company.cluster.adminKubeconfig }
  const { server, certificateAuthority = '' } = await connectionOf(await readKubeconfig({ environment }), {
    environment,
  })
  cluster = { server, 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') }
})
afterAll(() => company.close())

async function login(user: object, ...typed: string[]): Promise<Printed> {
  const config = {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user }],
  }
  await writeFile(join(company.directory, 'u.config'), JSON.stringify(config))
  return company.run(['login', ...typed], {
    environment: { KUBECONFIG: join(company.directory, 'u.config') },
  })
}

async function plugin(script: string): Promise<object> {
  const command = join(company.directory, 'plugin')
  await writeFile(command, `#!/bin/sh\n${script}\n`)
  await chmod(command, 0o755)
  return { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'IfAvailable' }
}

const gives = (value: string): string =>
  `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${value}"}}'`

describe('arena login', () => {
  it("runs the kubeconfig's own sign-in and tells who the cluster takes one for", async () => {
    expect(await login({ exec: await plugin(gives(token)) })).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^User: +system:serviceaccount:default:bob\n/),
    })
    const oidc = { name: 'oidc', config: { 'id-token': token } }
    expect(JSON.parse((await login({ 'auth-provider': oidc }, '-o', 'json')).out)).toMatchObject({
      user: 'system:serviceaccount:default:bob',
      groups: expect.arrayContaining(['system:serviceaccounts:default']),
      namespace: 'default',
      context: 'c',
    })
  })

  it('says what is wrong with a sign-in, and what to do, without the token', async () => {
    const expired = `x.${Buffer.from('{"exp":1000}').toString('base64url')}.x`
    const oidc = (config: object) => ({ 'auth-provider': { name: 'oidc', config } })
    const wrong: [object, string][] = [
      [{}, 'error: context "c" carries no credentials\nhint: name another one with --context'],
      [
        { exec: await plugin(gives('x.y.z')) },
        'does not accept the credentials\nhint: they may have expired',
      ],
      [
        oidc({ 'id-token': expired, 'refresh-token': 'r' }),
        'expired at 1970-01-01T00:16:40.000Z\nhint: kubectl renews it',
      ],
      [oidc({ 'id-token': expired }), 'hint: sign in with the tool that wrote the kubeconfig'],
      [oidc({}), 'holds no id-token yet'],
      [{ 'auth-provider': { name: 'gcp' } }, 'which clients have not known since 1.26'],
    ]
    for (const [user, message] of wrong) {
      const { status, out, err } = await login(user)
      expect({ out, err }).toEqual({ out: '', err: expect.stringContaining(message) })
      expect(err).not.toContain('x.y.z')
      expect(err).not.toContain(expired)
      expect(status).toBe(message.includes('1.26') ? 1 : 4)
    }
  })

  it.each([
    ['exit 3', {}, 'it ended with status 3'],
    ['echo hello', {}, 'its answer is no JSON'],
    [gives('t'), { interactiveMode: 'Always' }, 'it has to ask a person, and there is no terminal'],
    [
      'exit 3',
      { command: 'no-such-plugin', installHint: 'get it at example.com' },
      'not installed\nhint: get it',
    ],
    ['exit 3', { interactiveMode: 'Sometimes' }, 'has the unknown interactiveMode "Sometimes"'],
  ])('says why a plugin gave nothing: %s %j', async (script, more, message) => {
    const { err } = await login({ exec: { ...(await plugin(script)), ...more } })
    expect(err).toContain(message)
  })
})
