import { execFile } from 'node:child_process'
import { link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  applyHost,
  findIds,
  type HostWorld,
  passwordsShown,
  planHost,
  readHost,
  type Run,
  runProgram,
  type WantedHost,
} from '../../src/host/index.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBexample bob@laptop'
let directory: string
let root: string

/** An image with an empty table of accounts. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-odd-'))
  root = join(directory, 'image')
  await Promise.all(['etc', 'home', 'bin'].map((name) => mkdir(join(root, name), { recursive: true })))
  await writeFile(join(root, 'bin/bash'), '')
  for (const name of ['passwd', 'group', 'shadow', 'gshadow']) {
    await writeFile(
      join(root, 'etc', name),
      `${(await readFile(join('/etc', name), 'utf8')).split('\n')[0]}\n`,
    )
  }
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const bob = { name: 'bob', uid: 20001, fullName: '', shell: '/bin/bash', groups: ['dev1'], sshKeys: [key] }
const wanted: WantedHost = {
  organisation: 'company',
  groups: [{ name: 'dev1', gid: 10001 }],
  users: [bob],
  firstPasswords: 'one-time',
}

async function plan(more: Partial<WantedHost> = {}) {
  const world: HostWorld = { run: runProgram, root }
  const asked = { ...wanted, ...more }
  return planHost(asked, await readHost(world, asked))
}

async function apply(through: Run = runProgram, onOutcome?: () => void) {
  const world: HostWorld = { run: through, root }
  const state = await readHost(world, wanted)
  const { changes } = planHost(wanted, state)
  return applyHost(changes, wanted, state, world, {
    signal: new AbortController().signal,
    showsLater: true,
    ...(onOutcome && { onOutcome }),
  })
}

/** A machine that dies when a program is to be run. */
const diesAt = (program: string): Run => {
  return (command, args, options) =>
    command === program ? Promise.reject(new Error('killed')) : runProgram(command, args, options)
}

describe.skipIf(!isRoot)('a run that is killed', () => {
  it('between the account and its password gives a password when it is run again', async () => {
    await expect(apply(diesAt('chpasswd'))).rejects.toThrow('killed')
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^bob:!/m)
    const again = await apply()
    expect(again.find(({ oneTimePassword }) => oneTimePassword !== undefined)).toMatchObject({
      result: 'done',
    })
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toMatch(/^bob:\$6\$[^:]+:0:/m)
  })

  it('before a password was shown makes another one, as nobody knows the first', async () => {
    await expect(apply(diesAt('chage'))).rejects.toThrow('killed')
    const before = /^bob:([^:]+)/m.exec(await readFile(join(root, 'etc/shadow'), 'utf8'))?.[1]
    expect(before).toMatch(/^\$6\$/)
    const outcomes = await apply()
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).not.toContain(before)
    expect((await plan()).changes.map(({ kind }) => kind)).toEqual(['set-one-time-password'])
    await passwordsShown(outcomes, { run: runProgram, root }, 'company')
    expect((await plan()).changes).toEqual([])
  })

  it('has written down whom it makes, so that they are locked when they leave the file', async () => {
    await expect(apply(diesAt('chpasswd'))).rejects.toThrow('killed')
    const { changes } = await plan({ users: [] })
    expect(changes).toEqual([{ kind: 'lock', name: 'bob' }])
  })
})

describe.skipIf(!isRoot)('a home', () => {
  const home = (): string => join(root, 'home/bob')
  const secret = 'root:$6$very$secret'

  it.each(['link', 'hard link'])(
    'does not make root tell its owner what they may not read, by a %s',
    async (way) => {
      await apply()
      await writeFile(join(root, 'secret'), secret, { mode: 0o600 })
      const keys = join(home(), '.ssh/authorized_keys')
      await rm(keys)
      if (way === 'link') await symlink(join(root, 'secret'), keys)
      else await link(join(root, 'secret'), keys)
      await apply()
      const text = await readFile(keys, 'utf8')
      expect(text).toContain(key)
      expect(text).not.toContain('secret')
      expect(await readFile(join(root, 'secret'), 'utf8')).toBe(secret)
    },
  )

  it('does not hold root up by a pipe, nor by a file without end', async () => {
    await apply()
    await rm(join(home(), '.ssh/authorized_keys'))
    await run('mkfifo', [join(home(), '.ssh/authorized_keys')])
    await mkdir(join(home(), '.kube'))
    await symlink('/dev/zero', join(home(), '.kube/config'))
    expect((await plan()).changes.map(({ kind }) => kind)).toContain('set-ssh-keys')
  })

  it('that is a link is refused before anything is changed', async () => {
    await mkdir(join(root, 'elsewhere'))
    await symlink('../elsewhere', home())
    expect((await plan()).conflicts).toEqual([
      { message: 'home "/home/bob" of "bob" is no directory', hint: expect.any(String) },
    ])
  })
})

describe.skipIf(!isRoot)('a machine', () => {
  it('whose tables of accounts are locked by another program for a moment is waited for', async () => {
    let tries = 0
    const outcomes = await apply(async (command, args, options) => {
      const isLocked = command === 'groupadd' && ++tries === 1
      const errors = 'groupadd: cannot lock /etc/group; try again later.'
      return isLocked ? { status: 10, output: '', errors } : runProgram(command, args, options)
    })
    expect(tries).toBe(2)
    expect(outcomes.every(({ result }) => result === 'done')).toBe(true)
  })

  it('without the programs that make accounts is refused, with the package that has them', async () => {
    const state = await readHost({ run: runProgram, root }, wanted)
    const { conflicts } = planHost(wanted, { ...state, missingPrograms: ['useradd', 'chage'] })
    expect(conflicts).toEqual([
      { message: 'this machine has no useradd, chage', hint: expect.stringContaining('shadow') },
    ])
    const gone = await runProgram('no-such-program', [])
    expect(gone).toMatchObject({ status: 127, errors: expect.stringContaining('not installed') })
  })

  it('that may not be written to says so, and has lost nothing', async () => {
    await run('mount', ['--bind', root, root])
    try {
      await run('mount', ['-o', 'remount,bind,ro', root])
      await expect(apply()).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
        message: expect.stringContaining('cannot be written'),
      })
    } finally {
      await run('umount', [root])
    }
    expect(await readFile(join(root, 'etc/passwd'), 'utf8')).not.toContain('bob')
    expect((await apply()).every(({ result }) => result === 'done')).toBe(true)
  })

  it('tells one change that its files refuse from the others', async () => {
    await passwordsShown(await apply(), { run: runProgram, root }, 'company')
    await rm(join(root, 'home/bob'), { recursive: true })
    const outcomes = await apply()
    expect(outcomes).toEqual([
      expect.objectContaining({
        result: 'failed',
        reason: expect.stringMatching(/\.ssh.* cannot be written as bob: directory .*home\/bob is not there/),
      }),
    ])
    await expect(stat(join(root, 'home/bob'))).rejects.toThrow()
  })
})

describe('many names', () => {
  it('are looked up with a few programs, those that are there and those that are not', async () => {
    let started = 0
    const counted: Run = (...asked) => {
      started += 1
      return runProgram(...asked)
    }
    const names = Array.from({ length: 1000 }, (_, index) => `no-such-${index}`)
    expect([...(await findIds(counted, 'passwd', ['-x', 'root', ...names]))]).toEqual([['root', 0]])
    expect((await findIds(counted, 'group', ['root'])).get('root')).toBe(0)
    expect(started).toBe(4)
  })
})
