import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { connectionOf, readKubeconfig } from '../../src/kube/index.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  const made = directory
  onTestFinished(() => rm(made, { recursive: true, force: true }))
})

async function write(name: string, content: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, content)
  return file
}

function config(name: string, user: object, cluster: object = {}): string {
  return JSON.stringify({
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name, namespace: `${name}-space` } }],
    clusters: [{ name, cluster: { server: `https://${name}.example:6443`, ...cluster } }],
    users: [{ name, user }],
  })
}

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'

describe('reading a kubeconfig', () => {
  it('reads JSON and YAML alike', async () => {
    const inJson = await write('a', config('a', { token: 't' }))
    const inYaml = await write(
      'b',
      'current-context: b\ncontexts: [{name: b, context: {cluster: b, user: b}}]\nclusters:\n- name: b\n  cluster: {server: "https://b:1"}\nusers: [{name: b, user: {token: t2}}]\n',
    )
    for (const [file, server] of [
      [inJson, 'https://a.example:6443'],
      [inYaml, 'https://b:1'],
    ] as const) {
      const connection = await connectionOf(await readKubeconfig({ environment: {}, file }), {
        environment: {},
      })
      expect(connection.server).toBe(server)
      expect(await connection.token?.()).toMatch(/^t2?$/)
    }
  })

  it('merges several paths, the first one winning, and skips those that are not there', async () => {
    const first = await write('one', config('one', { token: '1' }))
    const second = await write('two', config('two', { token: '2' }))
    const environment = { KUBECONFIG: `${first}:${join(directory, 'none')}:${second}` }
    const merged = await readKubeconfig({ environment })
    expect(merged.currentContext).toBe('one')
    expect([...merged.contexts.keys()]).toEqual(['one', 'two'])
    const connection = await connectionOf(merged, { environment, context: 'two' })
    expect(connection).toMatchObject({ contextName: 'two', namespace: 'two-space' })
  })

  it('falls back to the home directory', async () => {
    await expect(readKubeconfig({ environment: { HOME: directory } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `no kubeconfig found at ${join(directory, '.kube', 'config')}`,
    })
  })

  it('reads certificates inline and from files beside the kubeconfig', async () => {
    await write('client.crt', pem)
    await write('client.key', 'key')
    const file = await write(
      'a',
      config(
        'a',
        { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
        { 'certificate-authority-data': Buffer.from(pem).toString('base64') },
      ),
    )
    const connection = await connectionOf(await readKubeconfig({ environment: {}, file }), {
      environment: {},
    })
    expect(connection).toMatchObject({ certificateAuthority: pem, clientCertificate: pem, clientKey: 'key' })
  })

  it.each([
    ['{"current-context":"x"}', 'has no context "x"'],
    ['{}', 'names no current context'],
    ['- a\n- b', 'it is no mapping of fields'],
    ['a: [', 'has a fault'],
    ['{"contexts": {}}', '"contexts" is no list'],
  ])('says what is wrong with %j', async (content, fault) => {
    const file = await write('bad', content)
    const reading = readKubeconfig({ environment: {}, file }).then((read) =>
      connectionOf(read, { environment: {} }),
    )
    await expect(reading).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(reading).rejects.toThrow(fault)
  })

  it('runs a credential plugin with its arguments as they are, and once until it expires', async () => {
    const plugin = await write(
      'plugin',
      `#!/bin/sh
echo run >> '${directory}/runs'
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s","expirationTimestamp":"%s"}}' "$1" "$2"
`,
    )
    await chmod(plugin, 0o755)
    const run = async (expiry: string): Promise<(string | undefined)[]> => {
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: './plugin',
        args: ["it's $HOME", expiry],
        interactiveMode: 'Never',
      }
      const file = await write('a', config('a', { exec }))
      const connection = await connectionOf(await readKubeconfig({ environment: {}, file }), {
        environment: { PATH: process.env['PATH'] },
      })
      return [await connection.token?.(), await connection.token?.()]
    }
    expect(await run('2999-01-01T00:00:00Z')).toEqual(["it's $HOME", "it's $HOME"])
    const { readFile } = await import('node:fs/promises')
    expect(await readFile(join(directory, 'runs'), 'utf8')).toBe('run\n')
    await run('2001-01-01T00:00:00Z')
    // One at opening, in case it hands out a certificate, and one for each request: it is expired each time.
    expect((await readFile(join(directory, 'runs'), 'utf8')).split('\n').length).toBeGreaterThan(3)
  })

  it.each([
    ['missing', 'gave no credential: it is not installed'],
    ['/bin/false', 'it ended with status 1'],
    ['/bin/echo', 'its answer is no JSON'],
  ])('says why the plugin %s gave nothing', async (command, why) => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' }
    const file = await write('a', config('a', { exec }))
    const opening = readKubeconfig({ environment: {}, file }).then((read) =>
      connectionOf(read, { environment: { PATH: '/usr/bin:/bin' } }),
    )
    await expect(opening).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    await expect(opening).rejects.toThrow(why)
  })
})
