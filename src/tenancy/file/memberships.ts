import type { Path } from './position.ts'
import type { GroupEntry } from './schema.ts'

type Entry = NonNullable<GroupEntry['members']>[string]

/** The roles that a member entry states, whichever way it is written, and where in it. */
export function membershipsOf(entry: Entry): { role: string; until?: string; at: Path }[] {
  const entries = Array.isArray(entry) ? entry : [entry]
  return entries.map((item, index) => {
    const at = Array.isArray(entry) ? [index] : []
    if (typeof item === 'string') return { role: item, at }
    return { role: item.role, at: [...at, 'role'], ...(item.until !== undefined && { until: item.until }) }
  })
}
