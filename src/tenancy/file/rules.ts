import type { RoleEntry } from './schema.ts'

/** The rules of a role entry, whichever way it is written. */
export function rulesOf(entry: RoleEntry): Extract<RoleEntry, readonly unknown[]> {
  return Array.isArray(entry) ? entry : entry.rules
}
