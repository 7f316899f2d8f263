import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withLock } from '../../src/lock.ts'
import { runArena } from '../tenancy/organisation.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-host-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const organisation = (
  name: string,
  bob: string,
  group: string,
  ids: { uid: number; gid: number },
  more = '',
): string =>
  `organisation: ${name}
users:
  ${bob}: { uid: ${ids.uid}, name: Bob B, sshKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBexample bob@laptop]${more} }
groups:
  ${group}: { gid: ${ids.gid}, members: { ${bob}: member } }
`

async function host(...typed: string[]) {
  return runArena(['host', ...typed, '--no-kubeconfig'], {
    directory,
    environment: { HOME: directory, PATH: process.env['PATH'] ?? '' },
    now: new Date(),
    signal: new AbortController().signal,
  })
}

/** A directory with what an image needs to have accounts made in it. */
async function image(): Promise<string> {
  const root = join(directory, 'image')
  await Promise.all(['etc', 'home', 'bin'].map((name) => mkdir(join(root, name), { recursive: true })))
  await writeFile(join(root, 'bin/bash'), '')
  for (const name of ['passwd', 'group', 'shadow', 'gshadow']) {
    const [first] = (await readFile(join('/etc', name), 'utf8')).split('\n')
    await writeFile(join(root, 'etc', name), `${first}\n`)
  }
  return root
}

describe.skipIf(!isRoot)('accounts in an image', () => {
  it('are made once, with closed homes, keys and a password for the first login; and locked when removed', async () => {
    const root = await image()
    const file = join(directory, 'org.yaml')
    await writeFile(file, organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }))
    expect((await host('plan', '--root', root)).status).toBe(2)
    const applied = await host('apply', '--root', root)
    expect(applied.status, applied.err).toBe(0)
    const password = /shown only now: (\S+)/.exec(applied.out)?.[1] ?? ''
    expect(password).toMatch(/^[\w-]{23}$/)
    expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toContain(
      'bob:x:20001:20001:Bob B:/home/bob:/bin/bash',
    )
    expect(await readFile(join(root, 'etc/group'), 'utf8')).toContain('dev1:x:10001:bob')
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^bob:\$6\$[^:]+:0:/m)
    const home = await stat(join(root, 'home/bob'))
    expect([home.uid, home.mode & 0o777]).toEqual([20001, 0o700])
    const keys = await stat(join(root, 'home/bob/.ssh/authorized_keys'))
    expect([keys.uid, keys.mode & 0o777]).toEqual([20001, 0o600])
    expect(await host('apply', '--root', root)).toMatchObject({
      status: 0,
      out: expect.stringContaining('nothing to do'),
    })

    await writeFile(file, organisation('company', 'ann', 'dev1', { uid: 20002, gid: 10001 }))
    const removed = await host('apply', '--root', root)
    expect(removed.out).toContain('account bob is locked and expires; its home stays')
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^bob:!\$6.*:1:$/m)
    await stat(join(root, 'home/bob/.ssh/authorized_keys'))

    await writeFile(file, organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }))
    await host('apply', '--root', root)
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^bob:\$6[^:]+:0:[^!]*::$/m)
  })

  it('are refused where there is no directory', async () => {
    await writeFile(
      join(directory, 'org.yaml'),
      organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }),
    )
    for (const root of ['nowhere', 'org.yaml']) {
      for (const verb of ['plan', 'apply']) {
        expect(await host(verb, '--root', root)).toMatchObject({
          status: 3,
          err: expect.stringContaining(`root "${root}" is no directory`),
        })
      }
    }
  })

  it('are made once by many that run at the same time: the others wait, and find nothing to do', async () => {
    const root = await image()
    await writeFile(
      join(directory, 'org.yaml'),
      organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }),
    )
    const all = await Promise.all(
      Array.from({ length: 4 }, () => host('apply', '--root', root, '--no-program', '--wait', '60s')),
    )
    for (const { status, err } of all) expect(status, err).toBe(0)
    const shown = all.flatMap(({ out }) => out.match(/shown only now: (\S+)/g) ?? [])
    expect(shown).toHaveLength(1)
    expect(await host('plan', '--root', root, '--no-program')).toMatchObject({ status: 0 })
  })

  it('are left alone while another run has not ended, which is named', async () => {
    const root = await image()
    await writeFile(
      join(directory, 'org.yaml'),
      organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }),
    )
    await mkdir(join(root, 'var/lib/arena'), { recursive: true })
    const options = { subject: 'it', what: 'host apply', patienceMs: 0 }
    const refused = await withLock(join(root, 'var/lib/arena/host'), options, () =>
      host('apply', '--root', root, '--no-program', '--wait', '0s'),
    )
    expect(refused).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /host ".*image" is being changed by "arena host apply" \(process \d+ on .*\) since 20[\s\S]*hint: nothing was changed/,
      ),
    })
    expect(await readFile(join(root, 'etc/passwd'), 'utf8')).not.toContain('bob')
  })

  it('are refused as a whole when one id is taken', async () => {
    const root = join(directory, 'image')
    await mkdir(join(root, 'etc'), { recursive: true })
    await mkdir(join(root, 'bin'), { recursive: true })
    await writeFile(join(root, 'bin/bash'), '')
    await writeFile(join(root, 'etc/passwd'), 'eve:x:20001:20001::/home/eve:/bin/bash\n')
    await writeFile(join(root, 'etc/group'), '')
    await writeFile(
      join(directory, 'org.yaml'),
      organisation('company', 'bob', 'dev1', { uid: 20001, gid: 10001 }),
    )
    const refused = await host('apply', '--root', root)
    expect(refused.status).toBe(1)
    expect(refused.err).toContain('needs the id 20001, which account "eve" has on this host')
    expect(await readFile(join(root, 'etc/group'), 'utf8')).toBe('')
  })
})

describe.skipIf(!isRoot)('accounts on this machine', () => {
  it('are real ones, and are locked when they leave the file', async () => {
    const mark = randomBytes(3).toString('hex')
    const bob = `arena-t-${mark}`
    const group = `arena-g-${mark}`
    const id = 700_000 + (Number.parseInt(mark, 16) % 100_000)
    try {
      await writeFile(
        join(directory, 'org.yaml'),
        organisation(`company-${mark}`, bob, group, { uid: id, gid: id + 100_000 }),
      )
      const applied = await host('apply', '--no-program')
      expect(applied.status, applied.err).toBe(0)
      const { stdout } = await run('id', [bob])
      expect(stdout).toContain(`uid=${id}(${bob})`)
      expect(stdout).toContain(`${id + 100_000}(${group})`)
      expect(await host('plan', '--no-program')).toMatchObject({ status: 0 })
      const status = await run('passwd', ['-S', bob])
      expect(status.stdout.split(' ').slice(1, 3)).toEqual(['P', expect.stringMatching(/1970/)])
    } finally {
      await run('userdel', ['-r', bob]).catch(() => undefined)
      await run('groupdel', [group]).catch(() => undefined)
      await rm(`/var/lib/arena/host-company-${mark}.json`, { force: true })
    }
  })
})
