import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { installProgram } from '../program.ts'
import { openOrganisation, type TestOrganisation } from '../tenancy/organisation.ts'

const run = promisify(execFile)
let company: TestOrganisation
let bin: string

/** The real command in a directory of its own, to be found on the PATH. */
async function installArena(): Promise<string> {
  const cache = resolve('node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const directory = await mkdtemp(join(cache, 'arena-bin-'))
  await installProgram(directory)
  return directory
}

async function kubectl(config: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('kubectl', args, {
    env: {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: join(company.directory, 'home'),
      KUBECONFIG: join(company.directory, config),
    },
  })
}

beforeAll(async () => {
  ;[company, bin] = await Promise.all([openOrganisation(), installArena()])
  await company.write(await readFile('examples/guide/org.yaml', 'utf8'))
  await company.arena('org', 'apply')
})
afterAll(async () => {
  await company.close()
  await rm(bin, { recursive: true, force: true })
})

describe('the kubeconfig of a user', () => {
  it('works with kubectl through the plugin, for the own group and nothing else', async () => {
    const path = `${bin}:${process.env['PATH'] ?? ''}`
    const made = await company.run(['user', 'kubeconfig', 'bob'], { environment: { PATH: path } })
    expect(made).toMatchObject({ status: 0, out: 'kubeconfig of bob written to bob.config\n' })
    const file = join(company.directory, 'bob.config')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      contexts: [{ context: { namespace: 'dev1' } }],
      users: [{ user: { exec: { command: 'arena', args: ['credential'] } } }],
    })
    const claims = await kubectl('bob.config', 'get', 'pvc', '-o', 'name')
    expect(claims.stdout).toContain('persistentvolumeclaim/dev1-public')
    await expect(kubectl('bob.config', 'get', 'pvc', '-n', 'dev2')).rejects.toMatchObject({
      stderr: expect.stringContaining('Forbidden'),
    })
    await expect(kubectl('bob.config', 'get', 'secrets')).rejects.toMatchObject({
      stderr: expect.stringContaining('Forbidden'),
    })
  })

  it('serves arena itself without starting a plugin', async () => {
    await company.arena('user', 'kubeconfig', 'tom', '-o', 'tom.config')
    const environment = {
      HOME: join(company.directory, 'home'),
      KUBECONFIG: join(company.directory, 'tom.config'),
      PATH: '/nowhere',
    }
    const seen = await company.run(['org', 'plan'], { environment })
    expect(seen.status).toBe(4)
    expect(seen.err).toContain('User "system:serviceaccount:dev2:tom" cannot list')
  })

  it('is written into the home of the account when asked, and to the output with -', async () => {
    const shown = await company.arena('user', 'kubeconfig', 'bob', '-n', 'dev1', '-o', '-')
    expect(JSON.parse(shown.out)).toMatchObject({ 'current-context': 'bob' })
    const missing = await company.arena('user', 'kubeconfig', 'no-such-account', '--install')
    expect(missing).toMatchObject({ status: 3, err: expect.stringContaining('no account on this machine') })
    for (const typed of [
      ['--install', '-o', 'bob.config'],
      ['--static', '--lifetime', '5h'],
    ]) {
      const refused = await company.arena('user', 'kubeconfig', 'bob', ...typed)
      expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('do not go together') })
    }
  })

  it('is made for groups that the user is in, and for accounts made by hand, and for no others', async () => {
    const refused = await company.arena('user', 'kubeconfig', 'bob', '-n', 'dev2', '-o', '-')
    expect(refused).toEqual({
      status: 3,
      out: '',
      err: 'error: user "bob" is not in group "dev2"\nhint: bob is in: dev1; home is dev1, which counts without -n\n',
    })
    expect(await company.arena('user', 'kubeconfig', 'eve', '-n', 'dev2', '-o', '-')).toMatchObject({
      status: 3,
      err: expect.stringContaining('user "eve" has no account in namespace "dev2"'),
    })
    await company.client.create(kinds.serviceAccounts, { metadata: { name: 'eve' } }, { namespace: 'dev2' })
    const made = await company.arena('user', 'kubeconfig', 'eve', '-n', 'dev2', '-o', '-')
    expect(JSON.parse(made.out)).toMatchObject({ contexts: [{ context: { namespace: 'dev2' } }] })
  })

  it('warns about a token that never expires', async () => {
    const made = await company.arena('user', 'kubeconfig', 'bob', '--static', '-o', 'static.config')
    expect(made.status, made.err).toBe(0)
    expect(made.err).toContain('warning: the token of bob never expires')
    const claims = await kubectl('static.config', 'get', 'pvc', '-o', 'name')
    expect(claims.stdout).toContain('persistentvolumeclaim/dev1-public')
  })

  it('is dead within two seconds of the removal, and so is what runs with it', async () => {
    const path = `${bin}:${process.env['PATH'] ?? ''}`
    await company.run(['user', 'kubeconfig', 'bob', '-o', 'leaver.config'], { environment: { PATH: path } })
    const watch = spawn('kubectl', ['get', 'pvc', '--watch'], {
      env: {
        PATH: path,
        HOME: join(company.directory, 'home'),
        KUBECONFIG: join(company.directory, 'leaver.config'),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = once(watch, 'exit').then(() => performance.now())
    await once(watch.stdout, 'data')
    const held = await company.arena('user', 'kubeconfig', 'bob', '--static', '-o', 'held.config')
    expect(held.status, held.err).toBe(0)
    const removal = await company.arena('user', 'remove', 'bob', '--no-host')
    const removedAt = performance.now()
    expect(removal.status, removal.err).toBe(0)
    for (const config of ['held.config', 'leaver.config'])
      await expect(kubectl(config, 'get', 'pvc')).rejects.toMatchObject({
        stderr: expect.stringMatching(/Unauthorized|logged in/),
      })
    expect((await ended) - removedAt).toBeLessThan(2000)
    expect((await company.arena('user', 'remove', 'bob', '--undo', '--no-host')).status).toBe(0)
    // The tokens of the account that went are still kept in the home; the new kubeconfig must not trip over them.
    await company.run(['user', 'kubeconfig', 'bob', '-o', 'back.config'], { environment: { PATH: path } })
    expect((await kubectl('back.config', 'get', 'pvc', '-o', 'name')).stdout).toContain('dev1-public')
  })

  it('is dead as soon as the account is gone, and says so', async () => {
    const path = `${bin}:${process.env['PATH'] ?? ''}`
    await company.run(['user', 'kubeconfig', 'tom', '-o', 'tom.config'], { environment: { PATH: path } })
    await kubectl('tom.config', 'get', 'pvc')
    await company.client.delete(kinds.serviceAccounts, { namespace: 'dev2', name: 'tom' })
    await expect(kubectl('tom.config', 'get', 'pvc')).rejects.toMatchObject({
      stderr: expect.stringMatching(/Unauthorized|logged in/),
    })
    await rm(join(company.directory, 'home', '.kube', 'arena'), { recursive: true, force: true })
    await expect(kubectl('tom.config', 'get', 'pvc')).rejects.toMatchObject({
      stderr: expect.stringContaining('the account was removed or made anew'),
    })
  })
})
