import { execFile, type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../loopback.ts'
import { installProgram } from '../program.ts'
import { openOrganisation, type TestOrganisation } from '../tenancy/organisation.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const missing = isRoot ? await missingTools() : ['root']
// Said aloud, as a run without these proves nothing about logging in.
if (missing.length > 0) {
  process.stderr.write(
    `SKIPPED test/host/login.test.ts: it needs ${missing.join(', ')} (apt install openssh-server sshpass)\n`,
  )
}

async function missingTools(): Promise<string[]> {
  const tools = ['/usr/sbin/sshd', '/usr/bin/ssh', '/usr/bin/sshpass', '/usr/bin/ssh-keygen']
  const found = await Promise.all(
    tools.map((tool) =>
      access(tool).then(
        () => true,
        () => false,
      ),
    ),
  )
  return tools.filter((_, index) => found[index] !== true)
}

const mark = randomBytes(3).toString('hex')
const [bob, tom] = [`arena-t-${mark}-bob`, `arena-t-${mark}-tom`]
const [dev1, dev2] = [`arena-g-${mark}-a`, `arena-g-${mark}-b`]
const id = 800_000 + (Number.parseInt(mark, 16) % 50_000) * 2
const bobsPassword = randomBytes(9).toString('base64url')

let company: TestOrganisation
let sshd: ChildProcess
let port: number
let bin: string
let tomsPassword: string

/** The program where every account may read it. */
async function installArena(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'arena-login-'))
  await installProgram(directory)
  await chmod(directory, 0o755)
  return directory
}

async function startSshd(): Promise<void> {
  const directory = join(company.directory, 'sshd')
  await mkdir(directory, { mode: 0o700 })
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key')])
  port = await freePort()
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(directory, 'key')}`,
    'PidFile none',
    'UsePAM yes',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    `AllowUsers ${bob} ${tom}`,
    `SetEnv PATH=${bin}:/usr/local/bin:/usr/bin:/bin`,
  ]
  await writeFile(join(directory, 'config'), `${config.join('\n')}\n`)
  sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(directory, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((ready, failed) => {
    let said = ''
    sshd.stderr?.on('data', (text) => {
      said += String(text)
      if (said.includes('Server listening')) ready()
    })
    sshd.on('exit', () => failed(new Error(`sshd ended: ${said}`)))
  })
}

interface Said {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

async function login(user: string, password: string, command: string): Promise<Said> {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'PubkeyAuthentication=no',
    'LogLevel=ERROR',
  ]
  const args = [
    '-e',
    'ssh',
    '-p',
    String(port),
    ...options.flatMap((option) => ['-o', option]),
    `${user}@127.0.0.1`,
    command,
  ]
  return new Promise((done) => {
    execFile(
      'sshpass',
      args,
      { env: { SSHPASS: password, PATH: '/usr/bin:/bin' } },
      (error, stdout, stderr) => {
        done({ status: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr })
      },
    )
  })
}

describe.skipIf(missing.length > 0)('people on the client host', () => {
  beforeAll(async () => {
    ;[company, bin] = await Promise.all([openOrganisation(), installArena()])
    const { stdout } = await run('openssl', ['passwd', '-6', bobsPassword])
    await company.write(`organisation: company-${mark}
users:
  ${bob}: { uid: ${id}, passwordHash: '${stdout.trim()}' }
  ${tom}: { uid: ${id + 1} }
groups:
  ${dev1}: { gid: ${id + 200_000}, quota: { gpu: 1 }, members: { ${bob}: member } }
  ${dev2}: { gid: ${id + 200_001}, quota: { gpu: 2 }, members: { ${tom}: member } }
volumes:
  dev1-public: { size: 1Gi, access: { ${dev1}: write }, source: { nfs: { server: nas.example, path: /dev1 } } }
  shared: { size: 1Gi, access: { ${dev1}: write, ${dev2}: write }, source: { nfs: { server: nas.example, path: /all } } }
`)
    expect(await company.arena('org', 'apply')).toMatchObject({ status: 0 })
    const environment = { PATH: `${bin}:${process.env['PATH'] ?? ''}` }
    const applied = await company.run(['host', 'apply', '--no-program'], { environment })
    expect(applied.status, applied.err + applied.out).toBe(0)
    tomsPassword = /shown only now: (\S+)/.exec(applied.out)?.[1] ?? ''
    await startSshd()
  }, 60_000)

  afterAll(async () => {
    sshd?.kill()
    for (const user of [bob, tom]) {
      await run('pkill', ['-KILL', '-u', user]).catch(() => undefined)
      await run('userdel', ['-r', user]).catch(() => undefined)
    }
    for (const group of [dev1, dev2]) await run('groupdel', [group]).catch(() => undefined)
    await rm(`/var/lib/arena/host-company-${mark}.json`, { force: true })
    await company?.close()
    if (bin) await rm(bin, { recursive: true, force: true })
  })

  it('log in with a password and see the volumes of their own group', async () => {
    const seen = await login(bob, bobsPassword, 'arena data list')
    expect(seen.status, seen.stderr).toBe(0)
    expect(seen.stdout).toContain('dev1-public')
    expect(seen.stdout).toContain(`shared-${dev1}`)
    expect(seen.stdout).not.toContain(`shared-${dev2}`)
  })

  it('must choose a password of their own after the first login', async () => {
    expect(tomsPassword).not.toBe('')
    const refused = await login(tom, tomsPassword, 'arena data list')
    expect(refused.status).not.toBe(0)
    expect(refused.stdout + refused.stderr).toMatch(
      /[Pp]assword (?:change required|has expired|expired)|change your password/,
    )
    const own = randomBytes(12).toString('base64url')
    await new Promise<void>((done) => {
      const child = execFile('chpasswd', ['-c', 'SHA512'], () => done())
      child.stdin?.end(`${tom}:${own}\n`)
    })
    const seen = await login(tom, own, 'arena data list; arena list')
    expect(seen.status, seen.stderr).toBe(0)
    expect(seen.stdout).toContain(`shared-${dev2}`)
    expect(seen.stdout).not.toContain('dev1-public')
    tomsPassword = own
  })

  it('submit a job and see it run under their own ids, and nobody else sees it', async () => {
    const submit = (name: string): string =>
      `arena submit tf --name=${name} --image=busybox --wait 'echo ids: $(id -u) $(id -g)'`
    const people = [
      { user: bob, password: bobsPassword, job: 'first', uid: id, gid: id + 200_000 },
      { user: tom, password: tomsPassword, job: 'second', uid: id + 1, gid: id + 200_001 },
    ]
    for (const { user, password, job, uid, gid } of people) {
      const done = await login(user, password, submit(job))
      expect(done.status, done.stdout + done.stderr).toBe(0)
      const listed = await login(user, password, `arena list; arena logs ${job}`)
      expect(listed.status, listed.stderr).toBe(0)
      expect(listed.stdout).toMatch(new RegExp(`^${job} +SUCCEEDED`, 'm'))
      expect(listed.stdout).toContain(`ids: ${uid} ${gid}`)
      const others = people.filter((other) => other.user !== user)
      for (const other of others) expect(listed.stdout).not.toContain(other.job)
    }
    const forbidden = await login(bob, bobsPassword, `arena list -n ${dev2}`)
    expect(forbidden.status).toBe(4)
    expect(forbidden.stderr).toContain('forbidden')
  }, 60_000)

  it('cannot read the homes of each other', async () => {
    const seen = await login(bob, bobsPassword, `cat /home/${tom}/.kube/config`)
    expect(seen.status).not.toBe(0)
    expect(seen.stderr).toContain('Permission denied')
  })

  it('are locked out by their removal alone, and let in again by its undoing', async () => {
    const removed = await company.arena('user', 'remove', bob)
    expect(removed.status, removed.err).toBe(0)
    expect(removed.err).toContain(`account on this machine: locked; /home/${bob} stays`)
    expect((await login(bob, bobsPassword, 'true')).status).not.toBe(0)
    await access(`/home/${bob}/.kube/config`)
    const back = await company.arena('user', 'remove', bob, '--undo')
    expect(back.status, back.err).toBe(0)
    expect((await login(bob, bobsPassword, 'true')).status).toBe(0)
  })

  it('are locked out when they leave the organisation, and their homes stay', async () => {
    expect((await login(bob, bobsPassword, 'true')).status).toBe(0)
    const { stdout } = await run('openssl', ['passwd', '-6', bobsPassword])
    expect(stdout).toContain('$6$')
    await company.write(`organisation: company-${mark}
users:
  ${tom}: { uid: ${id + 1} }
groups:
  ${dev1}: { gid: ${id + 200_000} }
  ${dev2}: { gid: ${id + 200_001}, members: { ${tom}: member } }
`)
    await company.arena('org', 'apply', '--allow-destroy')
    const applied = await company.run(['host', 'apply', '--no-program'], {})
    expect(applied.status, applied.err).toBe(0)
    expect((await login(bob, bobsPassword, 'true')).status).not.toBe(0)
    await access(`/home/${bob}/.kube/config`)
  })
})
