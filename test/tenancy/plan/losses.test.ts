import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { diffOrgs, losses, parseOrg } from '../../../src/tenancy/index.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
const now = new Date('2026-11-24T12:00:00Z')
const own = `roles:
  auditor:
    - { apiGroups: [''], resources: [pods, events], verbs: [get, list, watch] }
    - { apiGroups: [''], resources: [pods/log], verbs: [get] }
`

function diff(before: string, after: string) {
  const plan = diffOrgs(parseOrg(before), parseOrg(after), now)
  return { lost: losses(plan), meanings: plan.changes.map(({ meaning }) => meaning) }
}

/** The guide's organisation with other roles of bob in dev1. */
const bob = (roles: string) => own + guide.replace('bob: member', `bob: ${roles}`)

describe('a plan', () => {
  it.each([
    ['lead', 'viewer', ['bob is only viewer in dev1 from now on, no longer lead']],
    ['[lead, member]', 'member', ['bob is only member in dev1 from now on, no longer lead']],
    ['member', 'auditor', ['bob is only auditor in dev1 from now on, no longer member']],
    [
      'member',
      '[auditor, { role: viewer, until: 2026-11-30 }]',
      ['bob is only auditor and viewer in dev1 from now on, no longer member'],
    ],
    // What goes is given by what stays.
    ['member', 'lead', []],
    ['auditor', 'viewer', []],
    ['[viewer, member]', 'member', []],
  ])('takes as a loss that somebody may do less: %s to %s', (before, after, lost) => {
    expect(diff(bob(before), bob(after)).lost).toEqual(lost)
  })

  it('says who may do less by a role of the file that was narrowed, and nothing of one that was widened', () => {
    const wide = bob('auditor')
    const narrow = wide.replace('[pods, events]', '[pods]')
    expect(diff(wide, narrow).lost).toEqual(['role auditor of dev1 allows less than before: bob'])
    expect(diff(narrow, wide).lost).toEqual([])
    expect(diff(bob('member'), bob('member').replace('[pods, events]', '[pods]')).lost).toEqual([])
  })

  it('says that a group may only read a volume from now on', () => {
    const less = guide.replace('access: { dev1: write }', 'access: { dev1: read }')
    const { lost } = diff(guide, less)
    expect(lost).toEqual([
      'dev1 may only read volume dev1-public from now on; jobs that use it must end first',
    ])
    const dynamic = (text: string) =>
      text.replace(/source: { nfs: { [^}]*\/dev1 } }/, 'source: { storageClass: fast }')
    expect(diff(dynamic(guide), dynamic(less)).lost).toEqual([
      `${lost[0]}, and its storage class may delete the data`,
    ])
  })

  it('says until when a grant holds', () => {
    const until = (day: string) => bob(`{ role: member, until: ${day} }`)
    expect(diff(bob('viewer'), until('2027-03-31')).meanings).toContain(
      'bob gains the role member in dev1 until 2027-03-31',
    )
    expect(diff(until('2027-03-31'), until('2026-12-31')).meanings).toEqual([
      'bob has the role member in dev1 until 2026-12-31',
    ])
    expect(diff(until('2027-03-31'), bob('member')).meanings).toEqual([
      'bob has the role member in dev1 without an end',
    ])
  })
})
