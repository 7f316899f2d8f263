/**
 * Some messages of Kubernetes show structures as its server holds them: fields under their Go names and in the order
 * of the Go types, absent ones as null.
 */

/** The fields named, in that order, under their Go names; what is not there is null. */
export function inOrder(
  value: object | undefined,
  fields: readonly (string | readonly [name: string, goName: string])[],
): Record<string, unknown> {
  const source = value as Record<string, unknown> | undefined
  const shown: Record<string, unknown> = {}
  for (const field of fields) {
    const [name, goName] = typeof field === 'string' ? [field, goNameOf(field)] : field
    shown[goName] = source?.[name] ?? null
  }
  return shown
}

/** Any value with Go names throughout, in the order in which it was written. */
export function inGoNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inGoNames)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [goNameOf(name), inGoNames(field)]))
}

const initials = /^(uid|api|ip|fs|nfs|csi|iscsi|rbd|fc|gce|aws|url|dns|gid|pid)(?=[A-Z]|$)/

/** `storageClassName` is `StorageClassName`, `apiGroup` is `APIGroup`. */
function goNameOf(name: string): string {
  const short = initials.exec(name)?.[1]
  return short === undefined
    ? name.charAt(0).toUpperCase() + name.slice(1)
    : short.toUpperCase() + name.slice(short.length)
}

/** A map with its keys in order, as Go prints maps. */
export function sortedMap<V>(map: Readonly<Record<string, V>> | undefined): Record<string, V> | null {
  if (map === undefined) return null
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}
