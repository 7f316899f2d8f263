import * as v from 'valibot'
import type { BaseIssue } from 'valibot'
import { pathOf } from './issues.ts'
import { type OrgFile, orgFileSchema } from './schema.ts'

type Mapping = Record<string, unknown>
type Path = readonly (string | number)[]

/**
 * Takes what is malformed out of a file, so that the rest can still be checked and all faults are told at once.
 * Values that must be there are filled with ones that disturb nobody. Undefined when nothing usable is left.
 */
export function salvage(file: unknown, issues: readonly BaseIssue<unknown>[]): OrgFile | undefined {
  const copy: unknown = structuredClone(file)
  if (!isMapping(copy)) return undefined
  for (const issue of issues) remove(copy, pathOf(issue))
  fill(copy)
  // What is still missing made its holder useless, and that one's holder, up to the entry.
  for (let rounds = 0; rounds < 3; rounds += 1) {
    const parsed = v.safeParse(orgFileSchema, copy)
    if (parsed.success) return parsed.output
    for (const issue of parsed.issues) remove(copy, pathOf(issue).slice(0, -1))
    fill(copy)
  }
  return undefined
}

/** Where a list stands in place of a mapping. The schema library takes lists for mappings of their indexes. */
export function listsForMappings(file: unknown): Path[] {
  if (!isMapping(file)) return []
  const found: Path[] = []
  for (const section of ['users', 'groups', 'roles', 'volumes']) {
    const entries = file[section]
    if (Array.isArray(entries)) found.push([section])
    if (!isMapping(entries) || section === 'roles') continue
    for (const [name, entry] of Object.entries(entries)) {
      if (Array.isArray(entry)) found.push([section, name])
      if (!isMapping(entry)) continue
      for (const field of ['quota', 'members', 'access', 'source']) {
        if (Array.isArray(entry[field])) found.push([section, name, field])
      }
    }
  }
  return found
}

/** Removes the value at a path, if there is one. */
export function remove(root: unknown, path: Path): void {
  let holder: unknown = root
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return
    holder = Reflect.get(holder, step)
  }
  const last = path.at(-1)
  if (last === undefined) return
  if (Array.isArray(holder)) holder.splice(Number(last), 1)
  else if (isMapping(holder)) Reflect.deleteProperty(holder, last)
}

function fill(file: Mapping): void {
  file['organisation'] ??= 'x'
  let nextId = 1_900_000_000
  for (const user of mappingsIn(file['users'])) user['uid'] ??= nextId++
  for (const group of mappingsIn(file['groups'])) group['gid'] ??= nextId++
  for (const volume of mappingsIn(file['volumes'])) {
    volume['size'] ??= '1Gi'
    volume['access'] ??= {}
    volume['source'] ??= {}
  }
}

function mappingsIn(section: unknown): Mapping[] {
  return isMapping(section) ? Object.values(section).filter(isMapping) : []
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Would this finding only repeat a fault of form, or be caused by what was taken out for it? */
export function isEcho(finding: Path, malformed: readonly Path[]): boolean {
  return malformed.some((path) => {
    const shorter = Math.min(path.length, finding.length)
    const shares = path.slice(0, shorter).every((step, index) => String(step) === String(finding[index]))
    // A finding about a whole user or group stands, even if one field of it is malformed.
    return shares && (path.length <= finding.length || finding.length > 2)
  })
}
