import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { desiredObjects, parseOrg } from '../../../src/tenancy/index.ts'

const now = new Date('2026-11-24T12:00:00Z')

async function guide() {
  return parseOrg(await readFile('examples/guide/org.yaml', 'utf8'))
}

describe('the objects of an organisation', () => {
  it('are those of the guide', async () => {
    expect(desiredObjects(await guide(), now).map(({ object }) => object)).toMatchSnapshot()
  })

  it('carry the owner labels, all of them', async () => {
    for (const { labels } of desiredObjects(await guide(), now)) {
      expect(labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'arena',
        'arena.dev/organisation': 'department1',
      })
    }
  })

  it('give nobody a list of secrets, a token of somebody else, or a right over rights', async () => {
    const rules = desiredObjects(await guide(), now).flatMap(({ object }) => rulesIn(object))
    expect(rules.length).toBeGreaterThan(10)
    for (const rule of rules) {
      expect(rule.resources).not.toContain('secrets')
      expect(rule.resources).not.toContain('*')
      expect(rule.apiGroups).not.toContain('*')
      expect(rule.verbs).not.toContain('*')
      expect(rule.apiGroups).not.toContain('rbac.authorization.k8s.io')
      if (rule.resources?.some((resource) => resource.startsWith('serviceaccounts'))) {
        expect(rule.resourceNames).toHaveLength(1)
      }
    }
  })

  it('mount what is granted for reading read-only, on a twin with the same source', () => {
    const org = parseOrg(`organisation: o
users: { bob: { uid: 20001 } }
groups:
  a: { gid: 10001, members: { bob: member } }
  b: { gid: 10002 }
volumes:
  data: { size: 1Ti, access: { a: write, b: read }, source: { nfs: { server: nas, path: /d } } }
`)
    const specs = desiredObjects(org, now)
      .filter(({ type }) => type.kind.startsWith('PersistentVolume'))
      .map(({ object }) => [Reflect.get(object, 'kind'), Reflect.get(object, 'spec')])
    expect(specs).toMatchSnapshot()
  })

  it('leave out grants and roles whose last day has passed, without renaming claims', () => {
    const org = parseOrg(`organisation: o
users: { bob: { uid: 20001 }, tom: { uid: 20002 } }
groups:
  a: { gid: 10001, members: { bob: member, tom: { role: member, until: 2026-11-23 } } }
  b: { gid: 10002 }
volumes:
  data: { size: 1Ti, access: { a: write, b: { access: read, until: 2026-11-23 } }, source: { directory: /srv/d } }
`)
    const names = (day: string): string[] =>
      desiredObjects(org, new Date(`${day}T23:59:59Z`))
        .filter(({ type }) => ['RoleBinding', 'PersistentVolumeClaim'].includes(type.kind))
        .map(({ namespace, name }) => `${namespace}/${name}`)
    expect(names('2026-11-23')).toContain('a/arena:tom:member')
    expect(names('2026-11-23')).toContain('b/data-b')
    expect(names('2026-11-24')).not.toContain('a/arena:tom:member')
    expect(names('2026-11-24')).not.toContain('b/data-b')
    expect(names('2026-11-24')).toContain('a/data-a')
  })
})

interface Rule {
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  verbs: string[]
}

function rulesIn(object: object): Rule[] {
  const rules: unknown = Reflect.get(object, 'rules')
  return Array.isArray(rules) ? rules : []
}
