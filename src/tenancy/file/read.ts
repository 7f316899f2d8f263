import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { type Document, LineCounter, parseDocument } from 'yaml'
import { UserError } from '../../errors.ts'
import { canonicalQuantity, type PolicyRule } from '../../kube/index.ts'
import type { Grant, Group, Membership, Org, Source, User, Volume } from '../org.ts'
import { checkOrgFile } from './checks/index.ts'
import type { Finding } from './checks/report.ts'
import { type Fault, OrgFileError } from './fault.ts'
import { membershipsOf } from './memberships.ts'
import { describeIssue } from './issues.ts'
import { checkKeys } from './keys.ts'
import { positionOf } from './position.ts'
import { quotaKeys } from './quota-keys.ts'
import { rulesOf } from './rules.ts'
import { isEcho, listsForMappings, remove, salvage } from './salvage.ts'
import { type OrgFile, orgFileSchema, type VolumeEntry } from './schema.ts'
import { volumeGid } from './volume-gid.ts'

/** The text of an organisation file, which messages call by `name`. @throws {UserError} `FILE_UNREADABLE` */
export async function readOrgText(path: string, name = path): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError('FILE_UNREADABLE', `organisation file "${name}" cannot be read`, {
      hint: 'name the file with -f FILE, or make one with: arena org init',
      cause: error,
    })
  }
}

/**
 * Reads the text of an organisation file; `path` is for messages only.
 *
 * @throws {OrgFileError} (`ORG_FILE_INVALID`) with every fault of the text.
 *
 * @example
 * ```ts
 * const org = parseOrg(await readOrgText('org.yaml'), 'org.yaml')
 * for (const group of org.groups) console.log(group.name, group.members.length)
 * ```
 */
export function parseOrg(text: string, path = 'org.yaml'): Org {
  const lines = new LineCounter()
  // Keys that stand twice are looked for below: to the parser they would be a fault that ends everything.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const faults: Fault[] = document.errors.map((error) => {
    const [start, end] = error.pos
    const { line, col } = lines.linePos(start)
    return {
      message: syntaxMessage(error.message),
      line,
      column: col,
      text: text.slice(start, end).split('\n', 1)[0] ?? '',
    }
  })
  const fail = (): never => {
    faults.sort((a, b) => a.line - b.line || a.column - b.column)
    throw new OrgFileError(path, text, faults)
  }
  if (faults.length > 0) return fail()
  const report = (finding: Finding): void => {
    const position = positionOf(document, lines, text, finding.path, { key: finding.inKey ?? false })
    faults.push({
      message: finding.message,
      ...position,
      ...(finding.hint !== undefined && { hint: finding.hint }),
    })
  }
  checkKeys(document, lines, (fault) => faults.push(fault))
  const plain = toPlain(document, report)
  const malformed: Finding[] = listsForMappings(plain).map((path) => ({
    path,
    message: `${path.join('.')} is a list, expected a mapping`,
    hint: 'write it with names, as in: { bob: member }',
  }))
  for (const { path: at } of malformed) remove(plain, at)
  const parsed = v.safeParse(orgFileSchema, plain)
  if (!parsed.success) malformed.push(...parsed.issues.map(describeIssue))
  for (const finding of malformed) report(finding)
  const paths = malformed.map((finding) => finding.path)
  const usable = parsed.success ? parsed.output : salvage(plain, parsed.issues)
  if (usable !== undefined) {
    checkOrgFile((finding) => {
      if (!isEcho(finding.path, paths)) report(finding)
    }, usable)
  }
  return usable === undefined || faults.length > 0 ? fail() : toOrg(usable)
}

function syntaxMessage(message: string): string {
  // The parser names the function of its own that would read them.
  if (message.startsWith('Source contains multiple documents')) return 'the file goes on after its end, "---"'
  return `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

function toPlain(document: Document, report: (finding: Finding) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    // The parser finds an alias without its anchor only now.
    report({ path: [], message: `not YAML: ${error instanceof Error ? error.message : String(error)}` })
    return {}
  }
}

function toOrg(file: OrgFile): Org {
  const groups = Object.entries(file.groups ?? {}).map(([name, entry]): Group => {
    const quota: Record<string, string> = {}
    for (const [key, value] of Object.entries(entry.quota ?? {})) {
      for (const written of quotaKeys(key)) quota[written] = canonicalQuantity(value)
    }
    const members = Object.entries(entry.members ?? {}).flatMap(([user, member]) =>
      membershipsOf(member).map(
        ({ role, until }): Membership => ({ user, role, ...(until !== undefined && { until }) }),
      ),
    )
    return { name, gid: entry.gid, quota, members }
  })
  const homes = new Map<string, string>()
  for (const group of groups) {
    for (const { user } of group.members) if (!homes.has(user)) homes.set(user, group.name)
  }
  return {
    name: file.organisation,
    users: Object.entries(file.users ?? {}).map(
      ([name, entry]): User => ({
        name,
        uid: entry.uid,
        home: entry.home ?? homes.get(name) ?? '',
        sshKeys: entry.sshKeys ?? [],
        shell: entry.shell ?? '/bin/bash',
        ...(entry.name !== undefined && { fullName: entry.name }),
        ...(entry.email !== undefined && { email: entry.email }),
        ...(entry.passwordHash !== undefined && { passwordHash: entry.passwordHash }),
      }),
    ),
    groups,
    roles: Object.entries(file.roles ?? {}).map(([name, entry]) => ({
      name,
      rules: rulesOf(entry).map(toRule),
    })),
    volumes: Object.entries(file.volumes ?? {}).map(([name, entry]) => toVolume(name, entry, groups)),
  }
}

function toRule(rule: ReturnType<typeof rulesOf>[number]): PolicyRule {
  const { apiGroups = [], resources = [], resourceNames, verbs } = rule
  return { apiGroups, resources, ...(resourceNames && { resourceNames }), verbs }
}

function toVolume(name: string, entry: VolumeEntry, groups: readonly Group[]): Volume {
  const grants = Object.entries(entry.access).map(
    ([group, grant]): Grant =>
      typeof grant === 'string'
        ? { group, access: grant }
        : { group, access: grant.access, ...(grant.until !== undefined && { until: grant.until }) },
  )
  const only = grants.length === 1 ? groups.find((group) => group.name === grants[0]?.group) : undefined
  return {
    name,
    size: canonicalQuantity(entry.size),
    grants,
    source: toSource(entry.source),
    gid: entry.gid ?? only?.gid ?? volumeGid(name, entry),
    ...(entry.description !== undefined && { description: entry.description }),
    ...(entry.owner !== undefined && { owner: entry.owner }),
  }
}

function toSource(source: VolumeEntry['source']): Source {
  if (source.nfs) return { kind: 'nfs', ...source.nfs }
  if (source.csi) {
    const { driver, volumeHandle, fsType, volumeAttributes } = source.csi
    return {
      kind: 'csi',
      driver,
      volumeHandle,
      ...(fsType !== undefined && { fsType }),
      ...(volumeAttributes !== undefined && { volumeAttributes }),
    }
  }
  if (source.storageClass !== undefined) return { kind: 'storageClass', name: source.storageClass }
  if (source.hostPath !== undefined) return { kind: 'hostPath', path: source.hostPath }
  return { kind: 'directory', path: source.directory ?? '' }
}
