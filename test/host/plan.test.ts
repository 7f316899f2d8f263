import { describe, expect, it } from 'vitest'
import {
  describeHostChange,
  type HostAccount,
  type HostPlan,
  type HostState,
  planHost,
  type WantedHost,
} from '../../src/host/index.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBexample bob@laptop'

const wanted: WantedHost = {
  organisation: 'department1',
  groups: [
    { name: 'dev1', gid: 10001 },
    { name: 'dev2', gid: 10002 },
  ],
  users: [
    { name: 'bob', uid: 20001, fullName: 'Bob B', shell: '/bin/bash', groups: ['dev1'], sshKeys: [key] },
    {
      name: 'tom',
      uid: 20002,
      fullName: '',
      shell: '/bin/bash',
      groups: ['dev2'],
      sshKeys: [],
      passwordHash: '$6$a$b',
    },
  ],
  firstPasswords: 'one-time',
}

function account(name: string, uid: number, more: Partial<HostAccount> = {}): HostAccount {
  return { name, uid, gid: uid, fullName: '', home: `/home/${name}`, shell: '/bin/bash', ...more }
}

function state(more: Partial<HostState> = {}): HostState {
  return {
    accounts: new Map(),
    groups: new Map(),
    shadow: new Map(),
    homes: new Map([
      ['bob', { path: '/home/bob' }],
      ['tom', { path: '/home/tom' }],
    ]),
    missingShells: new Set(),
    hasProgram: false,
    missingPrograms: [],
    record: { users: [], groups: [], hashes: {}, firstPasswords: [] },
    ...more,
  }
}

const words = (plan: HostPlan): string[] => plan.changes.map(describeHostChange)

describe('the plan of a client host', () => {
  it('makes groups, accounts, passwords and keys on a fresh machine, and names no secret', () => {
    const plan = planHost(wanted, state())
    expect(plan.conflicts).toEqual([])
    expect(words(plan)).toMatchSnapshot()
    expect(words(plan).join()).not.toContain('$6$')
  })

  it.each([
    ['a uid that another account has', { accounts: new Map([['eve', account('eve', 20001)]]) }],
    ['an account with another uid', { accounts: new Map([['bob', account('bob', 1234)]]) }],
    [
      'a gid that another group has',
      { groups: new Map([['staff2', { name: 'staff2', gid: 10001, members: [] }]]) },
    ],
    ['a group with another gid', { groups: new Map([['dev1', { name: 'dev1', gid: 99, members: [] }]]) }],
    [
      'a home that belongs to somebody else',
      {
        homes: new Map([
          ['bob', { path: '/home/bob', found: { uid: 4711, mode: 0o755, isDirectory: true } }],
          ['tom', { path: '/home/tom' }],
        ]),
      },
    ],
    ['a shell that is not installed', { missingShells: new Set(['/bin/bash']) }],
  ] satisfies [string, Partial<HostState>][])('refuses %s', (_, more) => {
    const { conflicts } = planHost(wanted, state(more))
    expect(conflicts.length).toBeGreaterThan(0)
    expect(conflicts[0]).toMatchObject({ message: expect.any(String), hint: expect.any(String) })
  })

  it('keeps groups that somebody gave on the host, and takes back those of the organisation', () => {
    const there = state({
      accounts: new Map([['bob', account('bob', 20001, { fullName: 'Bob B' })]]),
      groups: new Map([
        ['dev1', { name: 'dev1', gid: 10001, members: [] }],
        ['dev2', { name: 'dev2', gid: 10002, members: ['bob'] }],
        ['video', { name: 'video', gid: 44, members: ['bob'] }],
      ]),
    })
    const change = planHost(wanted, there).changes.find(({ kind }) => kind === 'set-groups')
    expect(change).toEqual({
      kind: 'set-groups',
      name: 'bob',
      groups: ['video', 'dev1'],
      why: 'joins dev1 and leaves dev2',
    })
  })

  it('leaves a password alone that a person chose after the first login', () => {
    const there = state({
      accounts: new Map([
        ['bob', account('bob', 20001)],
        ['tom', account('tom', 20002)],
      ]),
      shadow: new Map([
        ['bob', { password: '$y$own' }],
        ['tom', { password: '$y$own' }],
      ]),
    })
    const first = planHost(wanted, there)
    expect(words(first)).toContain('account tom gets the password of the file')
    expect(words(first)).not.toContain('account bob gets a password for the first login, to be changed then')
  })

  it('locks who has left the file, and only accounts that were in it', () => {
    const there = state({
      accounts: new Map([
        ['ann', account('ann', 20003)],
        ['root', account('root', 0)],
      ]),
      record: { users: ['ann', 'gone'], groups: [], hashes: {}, firstPasswords: [] },
    })
    const locks = planHost({ ...wanted, users: [] }, there).changes.filter(({ kind }) => kind === 'lock')
    expect(locks).toEqual([{ kind: 'lock', name: 'ann' }])
  })
})
