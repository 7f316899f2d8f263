import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, kinds, readKubeconfig } from '../../src/kube/index.ts'
import { configurationOf, startIssuer, type TestIssuer } from '../cluster/auth/oidc/issuer.ts'
import { openOrganisation, type Printed, type TestOrganisation } from '../tenancy/organisation.ts'

const run = promisify(execFile)
const hasKubectl = await run('kubectl', ['version', '--client']).then(
  () => true,
  () => false,
)

let settings: string
let issuer: TestIssuer
let company: TestOrganisation
let cluster: object

/** A cluster that trusts a provider, whose group "devs" may look at the jobs of dev1. */
beforeAll(async () => {
  settings = await mkdtemp(join(tmpdir(), 'arena-oidc-'))
  issuer = await startIssuer()
  const configFile = join(settings, 'auth.yaml')
  await writeFile(configFile, configurationOf(issuer))
  company = await openOrganisation({ authentication: { configFile } })
  await company.client.create(kinds.namespaces, { metadata: { name: 'dev1' } })
  await company.client.create(
    kinds.roleBindings,
    {
      metadata: { name: 'devs' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'oidc:devs' }],
    },
    { namespace: 'dev1' },
  )
  const environment = { KUBECONFIG: company.cluster.adminKubeconfig }
  const { server, certificateAuthority = '' } = await connectionOf(await readKubeconfig({ environment }), {
    environment,
  })
  cluster = { server, 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') }
})
afterAll(async () => {
  await company.close()
  await issuer.close()
  await rm(settings, { recursive: true, force: true })
})

async function writeKubeconfig(user: object): Promise<string> {
  const path = join(company.directory, 'oidc.config')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'production',
    clusters: [{ name: 'c', cluster }],
    contexts: [{ name: 'production', context: { cluster: 'c', user: 'bob', namespace: 'dev1' } }],
    users: [{ name: 'bob', user }],
  }
  await writeFile(path, JSON.stringify(config))
  return path
}

async function arena(user: object, ...typed: string[]): Promise<Printed> {
  return company.run(typed, { environment: { KUBECONFIG: await writeKubeconfig(user) } })
}

/** What kubelogin is to a kubeconfig: a program that hands out the id-token of a file. */
async function helper(token: string): Promise<object> {
  const command = join(company.directory, 'kubelogin')
  const answer = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token },
  }
  await writeFile(join(company.directory, 'token.json'), JSON.stringify(answer))
  await writeFile(command, `#!/bin/sh\nexec cat ${join(company.directory, 'token.json')}\n`)
  await chmod(command, 0o755)
  return { exec: { apiVersion: answer.apiVersion, command, interactiveMode: 'IfAvailable' } }
}

const provider = (token: string) => ({
  'auth-provider': {
    name: 'oidc',
    config: { 'idp-issuer-url': issuer.url, 'client-id': 'arena', 'id-token': token },
  },
})

describe('somebody who signs in with OpenID Connect', () => {
  it('is known by their name and groups, through a plugin and through the token of an auth-provider', async () => {
    const token = await issuer.token({ groups: ['devs'] })
    for (const user of [await helper(token), provider(token)]) {
      const shown = await arena(user, 'login')
      expect(shown, shown.err).toMatchObject({ status: 0 })
      expect(shown.out).toMatch(
        /^User: +oidc:bob\nGroups: +oidc:devs, system:authenticated\nNamespace: +dev1\nContext: +production\n/,
      )
      const me = JSON.parse((await arena(user, 'whoami')).out)
      expect(me).toMatchObject({ Name: 'oidc:bob', IsAdminUser: false, Namespace: 'dev1' })
    }
  })

  it('may do what the groups of the token may, and nothing else', async () => {
    const insider = await helper(await issuer.token({ groups: ['devs'] }))
    expect(await arena(insider, 'data', 'list')).toMatchObject({ status: 0 })
    const outsider = await helper(await issuer.token({ sub: 'eve', groups: ['others'] }))
    const refused = await arena(outsider, 'data', 'list')
    expect(refused).toMatchObject({ status: 4, err: expect.stringContaining('oidc:eve') })
  })

  it.skipIf(!hasKubectl)('is taken for the same by kubectl', async () => {
    const path = await writeKubeconfig(await helper(await issuer.token({ groups: ['devs'] })))
    const { stdout } = await run('kubectl', ['--kubeconfig', path, 'auth', 'whoami', '-o', 'json'])
    expect(JSON.parse(stdout).status.userInfo).toMatchObject({
      username: 'oidc:bob',
      groups: ['oidc:devs', 'system:authenticated'],
    })
    await run('kubectl', ['--kubeconfig', path, 'get', 'pods'])
    await expect(run('kubectl', ['--kubeconfig', path, 'get', 'nodes'])).rejects.toMatchObject({
      stderr: expect.stringContaining('User "oidc:bob" cannot list resource "nodes"'),
    })
  })

  it('is told what is wrong with the sign-in, and never sees the token', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const expired = await issuer.token({ exp: seconds - 60 })
    const foreign = await issuer.token({ aud: 'another-client' })
    const wrong: [object, string][] = [
      [provider(expired), `the id-token in kubeconfig ${company.directory}/oidc.config expired at 20`],
      [
        await helper(expired),
        `the token of credential plugin "${company.directory}/kubelogin" expired at 20`,
      ],
      [provider(foreign), 'those of an OpenID Connect provider must have the issuer and the client id'],
      [
        {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: 'kubelogin-that-is-not-there',
            installHint: 'get kubelogin at example.com',
          },
        },
        'credential plugin "kubelogin-that-is-not-there" gave no credential: it is not installed\nhint: get kubelogin at example.com',
      ],
      [
        {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: 'sh',
            args: ['-c', 'echo "error: authorization code expired" >&2; exit 1'],
          },
        },
        'credential plugin "sh" gave no credential: it ended with status 1',
      ],
    ]
    for (const [user, message] of wrong) {
      const { status, out, err } = await arena(user, 'login')
      expect({ status, out, err }).toEqual({ status: 4, out: '', err: expect.stringContaining(message) })
      for (const token of [expired, foreign]) expect(err).not.toContain(token.slice(0, 40))
    }
  })

  it('goes on when the provider changes its keys', async () => {
    await issuer.rotate({ keeps: true })
    const user = await helper(await issuer.token({ sub: 'tom', groups: ['devs'] }))
    await expect
      .poll(async () => (await arena(user, 'login')).status, { timeout: 20_000, interval: 500 })
      .toBe(0)
  })
})
