import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { OrgFileError, parseOrg } from '../../../src/tenancy/index.ts'

function faultsOf(text: string): { at: string; message: string; hint?: string | undefined }[] {
  try {
    parseOrg(text)
  } catch (error) {
    if (!(error instanceof OrgFileError)) throw error
    return error.faults.map(({ line, column, message, hint }) => ({ at: `${line}:${column}`, message, hint }))
  }
  return []
}

const base = `organisation: department1
users:
  bob: { uid: 20001 }
groups:
  dev1: { gid: 10001, members: { bob: member } }
`

describe('an organisation file', () => {
  it('is read into groups, people, quotas and volumes', async () => {
    const org = parseOrg(await readFile('examples/guide/org.yaml', 'utf8'))
    expect(org).toMatchSnapshot()
  })

  it('tells every fault at once, with line, column, text and hint', () => {
    const text = `organisation: department1
users:
  bob: { uid: 20001, hom: dev1 }
  tom: { uid: 20001 }
  Ann: { uid: 5, sshKeys: [abc] }
groups:
  dev1: { gid: many, quota: { gpu: 1.5, cpus: 3 }, members: { bbo: membr, tom: [member, { role: x, until: 2027-02-30 }] } }
  dev2: { gid: 10002, quota: [], visibility: own }
volumes:
  a: { size: lots, access: { dev3: write }, source: { nfs: { server: x } } }
  b: { size: 1Gi, access: { dev1: write }, source: { hostPath: /etc, directory: /x } }
`
    let shown = ''
    try {
      parseOrg(text, 'company.yaml')
    } catch (error) {
      shown = error instanceof OrgFileError ? error.message : ''
    }
    expect(shown).toMatchSnapshot()
  })

  it.each([
    ['a quota key that Kubernetes would never count', '{ gpus: 1 }', 'did you mean "gpu"?'],
    ['a negative amount', '{ cpu: -1 }', 'write a number, as in: cpu: 8'],
    ['a limit that is stated twice', '{ cpu: 1, requests.cpu: 2 }', 'keep one of the two'],
  ])('refuses %s', (_, quota, hint) => {
    const text = base.replace('members:', `quota: ${quota}, members:`)
    expect(faultsOf(text)).toMatchObject([{ hint }])
  })

  it('accepts quota keys of Kubernetes as they are', () => {
    const quota = '{ requests.example.com/fpga: 2, count/secrets: 10, limits.cpu: 500m, services: 3 }'
    const org = parseOrg(base.replace('members:', `quota: ${quota}, members:`))
    expect(org.groups[0]?.quota).toEqual({
      'requests.example.com/fpga': '2',
      'count/secrets': '10',
      'limits.cpu': '500m',
      services: '3',
    })
  })

  it.each([
    ['all secrets', '{ apiGroups: [""], resources: [secrets], verbs: [get, list] }'],
    ['all secrets by a wildcard', '{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }'],
    ['tokens of others', '{ apiGroups: [""], resources: [serviceaccounts/token], verbs: [create] }'],
    ['other accounts', '{ apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate] }'],
    ['bindings', '{ apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create] }'],
  ])('refuses a role that gives away %s', (_, rule) => {
    expect(faultsOf(`${base}roles: { auditor: [${rule}] }\n`)).toHaveLength(1)
  })

  it('takes roles as a list of rules or as a mapping with rules', () => {
    const rule = '{ apiGroups: [""], resources: [pods], verbs: [get] }'
    const list = parseOrg(`${base}roles: { auditor: [${rule}] }\n`)
    const mapping = parseOrg(`${base}roles: { auditor: { rules: [${rule}] } }\n`)
    expect(mapping.roles).toEqual(list.roles)
  })

  it('lets a user hold several roles, some of them until a day', () => {
    const text = base.replace('bob: member }', 'bob: [member, { role: lead, until: 2027-03-31 }] }')
    expect(parseOrg(text).groups[0]?.members).toEqual([
      { user: 'bob', role: 'member' },
      { user: 'bob', role: 'lead', until: '2027-03-31' },
    ])
  })

  it.each([
    'root',
    'default',
    'Bob',
    'bob.smith',
    '1bob',
    'bob-',
    'x'.repeat(33),
    '__proto__',
    'constructor',
  ])('refuses the user name %s', (name) => {
    const text = base.replaceAll('bob', name)
    expect(faultsOf(text).length).toBeGreaterThan(0)
  })

  it.each(['kube-system', 'default', 'sudo', 'docker', 'Dev1'])('refuses the group name %s', (name) => {
    expect(faultsOf(base.replaceAll('dev1', name)).length).toBeGreaterThan(0)
  })

  it('refuses two volumes whose claims would have the same name', () => {
    const source = 'source: { directory: /srv/a }'
    const text = `${base.replace('members: { bob: member } }', 'members: { bob: member } }\n  dev2: { gid: 10002 }')}volumes:
  a: { size: 1Gi, access: { dev1: write, dev2: read }, ${source} }
  a-dev1: { size: 1Gi, access: { dev1: write }, ${source} }
`
    expect(faultsOf(text)).toMatchObject([{ message: expect.stringContaining('needs the claim "a-dev1"') }])
  })

  it('refuses to share a storage class volume, which would not be shared', () => {
    const text = `${base.replace('members: { bob: member } }', 'members: { bob: member } }\n  dev2: { gid: 10002 }')}volumes:
  a: { size: 1Gi, access: { dev1: write, dev2: read }, source: { storageClass: fast } }
`
    expect(faultsOf(text)).toHaveLength(1)
  })

  it('points at the place of a syntax fault', () => {
    expect(faultsOf('organisation: [a\n')).toMatchObject([{ at: expect.stringMatching(/^[12]:/) }])
    expect(faultsOf('a: *nowhere\n')[0]?.message).toMatch(/^not YAML/)
    expect(faultsOf('a: 1\n---\nb: 2\n')[0]?.message).toBe('the file goes on after its end, "---"')
  })

  it('names keys that stand twice, beside all other faults', () => {
    const text = `organisation: department1
users:
  bob: { uid: 20001, uid: 20002 }
  bob: { uid: 20003 }
  tom: { uid: 20002, shel: /bin/sh }
groups:
  dev1: { gid: 10001, members: { bob: member, tom: member, bob: lead } }
groups: {}
`
    expect(faultsOf(text)).toMatchObject([
      {
        at: '3:22',
        message: 'users.bob.uid stands twice; the first is on line 3',
        hint: 'keep one of the two',
      },
      { at: '4:3', message: 'users.bob stands twice; the first is on line 3' },
      { at: '5:22', message: '"shel" is no key of users.tom' },
      { at: '7:60', message: 'groups.dev1.members.bob stands twice; the first is on line 7' },
      { at: '8:1', message: 'groups stands twice; the first is on line 6' },
    ])
  })

  it('shows of a long line what is around the fault, with the place below it', () => {
    const many = Array.from({ length: 40 }, (_, index) => `user${index}: member`).join(', ')
    const text = base.replace('bob: member }', `bob: member, ${many} }`)
    let shown = ''
    try {
      parseOrg(text)
    } catch (error) {
      shown = error instanceof OrgFileError ? error.message : ''
    }
    for (const line of shown.split('\n').filter((each) => / \| /.test(each))) {
      expect(line.length).toBeLessThanOrEqual(110)
    }
    const marked = [...shown.matchAll(/(.* \| .*)\n(.* \|.*\^+)/g)].map(([, source = '', marks = '']) =>
      source.slice(marks.indexOf('^'), marks.length),
    )
    expect(marked).toEqual(many.split(', ').map((each) => each.replace(': member', '')))
  })

  it('does not blow up on aliases that multiply', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let index = 1; index < 12; index += 1) {
      const last = String.fromCharCode(96 + index)
      const next = String.fromCharCode(97 + index)
      bomb.push(`${next}: &${next} [${Array.from({ length: 9 }, () => `*${last}`).join(',')}]`)
    }
    expect(faultsOf(bomb.join('\n')).length).toBeGreaterThan(0)
  })

  it('takes an empty section for none', () => {
    expect(parseOrg(`${base}volumes:\nroles:\n`).volumes).toEqual([])
  })
})
