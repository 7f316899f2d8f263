import { describe, expect, it } from 'vitest'
import { editText } from '../../../src/tenancy/file/edit.ts'
import { moveUser, revokeRole, setQuota } from '../../../src/tenancy/file/edits.ts'
import { parseOrg } from '../../../src/tenancy/file/read.ts'

const file = `organisation: department1
users:
  bob: { uid: 20001 }
  ann: { uid: 20002 }
groups:
  dev1: { gid: 10001, quota: { requests.cpu: 8, requests.nvidia.com/gpu: 2, count/jobs.batch: 3 }, members: { bob: [lead, { role: viewer, until: 2099-03-31 }] } }
  dev2: { gid: 10002, quota: { memory: 8Gi }, members: { ann: member, bob: { role: member, until: 2099-01-31 } } }
  dev3: { gid: 10003, members: { ann: { role: lead, until: 2099-03-31 } } }
`
const org = parseOrg(file)
const group = (text: string, name: string) => parseOrg(text).groups.find((each) => each.name === name)
const rolesIn = (text: string, name: string, user: string) =>
  group(text, name)
    ?.members.filter((member) => member.user === user)
    .map(({ role, until }) => (until === undefined ? role : `${role} until ${until}`))

describe('a limit', () => {
  it('is changed and lifted however the file writes it', () => {
    const changed = editText(file, setQuota(org, 'dev1', { gpu: '4', cpu: 'none' }))
    expect(group(changed, 'dev1')?.quota).toEqual({ 'requests.nvidia.com/gpu': '4', 'count/jobs.batch': '3' })
    const long = editText(file, setQuota(org, 'dev2', { 'requests.memory': '16Gi' }))
    expect(group(long, 'dev2')?.quota).toEqual({ 'requests.memory': '16Gi' })
  })

  it('of all kinds of jobs takes the place of that of one, and not the other way', () => {
    const all = editText(file, setQuota(org, 'dev1', { jobs: '2' }))
    expect(group(all, 'dev1')?.quota['count/jobs.batch']).toBe('2')
    expect(group(all, 'dev1')?.quota['count/tfjobs.kubeflow.org']).toBe('2')
    const one = setQuota(parseOrg(all), 'dev1', { 'count/jobs.batch': 'none' })
    expect(one.map(({ path }) => path.at(-1))).toEqual(['count/jobs.batch'])
  })
})

describe('somebody who is moved', () => {
  it('keeps all roles and their last days, and those of the other group', () => {
    const moved = editText(file, moveUser(org, 'bob', 'dev2'))
    expect(rolesIn(moved, 'dev1', 'bob')).toEqual([])
    expect(rolesIn(moved, 'dev2', 'bob')).toEqual([
      'member until 2099-01-31',
      'lead',
      'viewer until 2099-03-31',
    ])
    const ended = editText(file, moveUser(org, 'ann', 'dev1', { from: 'dev3' }))
    expect(rolesIn(ended, 'dev1', 'ann')).toEqual(['lead until 2099-03-31'])
    const named = editText(file, moveUser(org, 'bob', 'dev2', { role: 'viewer' }))
    expect(rolesIn(named, 'dev2', 'bob')).toEqual(['viewer'])
  })

  it('has to be moved somewhere else', () => {
    expect(() => moveUser(org, 'bob', 'dev1')).toThrow('user "bob" is in group "dev1" already')
  })
})

describe('a role that is taken', () => {
  it('takes the home along when it was the last one there', () => {
    expect(revokeRole(org, { user: 'bob', group: 'dev1', role: 'lead' })).toHaveLength(1)
    const taken = parseOrg(editText(file, revokeRole(org, { user: 'bob', group: 'dev1' })))
    expect(taken.users.find(({ name }) => name === 'bob')?.home).toBe('dev2')
    expect(() => revokeRole(org, { user: 'ann', group: 'dev2' })).not.toThrow()
  })

  it('is not the last one of all, as an account lives in a group', () => {
    const lonely = parseOrg(editText(file, revokeRole(org, { user: 'ann', group: 'dev2' })))
    expect(() => revokeRole(lonely, { user: 'ann', group: 'dev3', role: 'lead' })).toThrow(
      expect.objectContaining({
        message: 'user "ann" has no role but in group "dev3"',
        hint: 'to move them: arena user move ann GROUP; to let them go: arena user remove ann',
      }),
    )
  })
})

it('names that nobody has are answered with a few of those that there are', () => {
  const many = Array.from({ length: 30 }, (_, index) => `  user${index}x: { uid: ${20100 + index} }`).join(
    '\n',
  )
  const members = Array.from({ length: 30 }, (_, index) => `user${index}x: member`).join(', ')
  const big = parseOrg(
    `organisation: big\nusers:\n${many}\ngroups:\n  dev1: { gid: 10001, members: { ${members} } }\n`,
  )
  expect(() => moveUser(big, 'zoe', 'dev1')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^known: user0x, .*, user9x, and 20 more$/) }),
  )
})
