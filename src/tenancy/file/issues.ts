import type { BaseIssue } from 'valibot'
import type { Finding } from './checks/report.ts'
import { nearest } from './checks/report.ts'

type Issue = BaseIssue<unknown>

/** Turns a fault of form into words that speak of the file, not of types of the program. */
export function describeIssue(issue: Issue): Finding {
  const deepest = inner(issue)
  const path = pathOf(issue).concat(deepest === issue ? [] : pathOf(deepest))
  const field = path.length === 0 ? 'the file' : path.join('.')
  const key = String(path.at(-1))
  if (deepest.type === 'strict_object' && deepest.expected === 'never') {
    const known = knownKeys(path)
    const similar = nearest(key, known)
    return {
      path,
      inKey: true,
      message: `"${key}" is no key ${path.length === 1 ? 'of the file' : `of ${path.slice(0, -1).join('.')}`}`,
      hint: similar ? `did you mean "${similar}"?` : `known keys: ${known.join(', ')}`,
    }
  }
  if (deepest.received === 'undefined') {
    return {
      // A key that is missing is shown at the object that lacks it.
      path: path.slice(0, -1),
      inKey: path.length > 1,
      message: `${path.length === 1 ? 'the file' : path.slice(0, -1).join('.')} has no "${key}"`,
      hint: hintFor(path),
    }
  }
  // Whoever writes a password where its hash belongs does not want it in a log.
  const value = path.includes('passwordHash') ? `a ${typeof deepest.input}` : shown(deepest.input)
  if (deepest.kind === 'validation') {
    return { path, message: `${field} ${value} ${deepest.message}` }
  }
  return { path, message: `${field} is ${value}, expected ${wanted(deepest.expected)}`, hint: hintFor(path) }
}

/** Of a choice between forms, the fault of the form that came nearest. */
function inner(issue: Issue): Issue {
  const nested = issue.type === 'union' ? (issue.issues ?? []) : []
  const isObject = typeof issue.input === 'object' && issue.input !== null
  const candidates = nested.filter((each) => pathOf(each).length > 0 || each.kind === 'validation')
  if (!isObject && candidates.length === 0) return issue
  const best = candidates.reduce<Issue | undefined>(
    (deepest, each) => (pathOf(each).length > pathOf(deepest ?? issue).length ? each : (deepest ?? each)),
    undefined,
  )
  return best === undefined ? issue : inner(best)
}

/** Keys and indexes from the root of the file to what an issue is about. */
export function pathOf(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)))
}

function shown(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return JSON.stringify(value)
}

function wanted(expected: string | null): string {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    Object: 'a mapping',
    Array: 'a list',
  }
  return (expected ?? 'something else')
    .replace(/^\(|\)$/g, '')
    .split(' | ')
    .map((part) => words[part] ?? part)
    .filter((part, index, all) => all.indexOf(part) === index)
    .join(' or ')
}

function knownKeys(path: readonly (string | number)[]): readonly string[] {
  const [section] = path
  if (path.length === 1) return ['organisation', 'users', 'groups', 'roles', 'volumes']
  if (section === 'users') return ['uid', 'name', 'email', 'sshKeys', 'home', 'shell', 'passwordHash']
  if (section === 'groups')
    return path.length === 3 ? ['gid', 'quota', 'members', 'visibility'] : ['role', 'until']
  if (section === 'roles') return ['apiGroups', 'resources', 'resourceNames', 'verbs', 'rules']
  if (path.length === 3) return ['size', 'access', 'source', 'gid', 'description', 'owner']
  if (path[2] === 'access') return ['access', 'until']
  switch (path.length === 4 ? undefined : path[3]) {
    case 'nfs':
      return ['server', 'path']
    case 'csi':
      return ['driver', 'volumeHandle', 'fsType', 'volumeAttributes']
    default:
      return ['nfs', 'csi', 'storageClass', 'hostPath', 'directory']
  }
}

function hintFor(path: readonly (string | number)[]): string {
  const examples: Record<string, string> = {
    organisation: 'organisation: department1',
    uid: 'uid: 20001',
    gid: 'gid: 10001',
    size: 'size: 100Gi',
    access: 'access: { dev1: write }',
    source: 'source: { nfs: { server: nas.example, path: /dev1 } }',
    users: 'users: { bob: { uid: 20001 } }',
    groups: 'groups: { dev1: { gid: 10001 } }',
    quota: 'quota: { gpu: 1, cpu: 8, memory: 60Gi }',
    members: 'members: { bob: member }',
    nfs: 'nfs: { server: nas.example, path: /dev1 }',
  }
  const parent = { users: 'bob: { uid: 20001 }', groups: 'dev1: { gid: 10001 }' }[String(path.at(-2))]
  const example = examples[String(path.at(-1))] ?? parent
  return example ? `write, for example: ${example}` : 'see docs/organisation.md for the form'
}
