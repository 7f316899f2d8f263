/**
 * Semantic equality of JSON values: an absent list and an empty one are the same, as are an absent field and null.
 */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (isAbsent(left)) return isAbsent(right)
  if (isAbsent(right)) return false
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((value, index) => same(value, right[index]))
  }
  if (!isRecord(left) || !isRecord(right) || Array.isArray(right)) return false
  for (const key in left) if (!same(left[key], right[key])) return false
  for (const key in right) if (!(key in left) && !isAbsent(right[key])) return false
  return true
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
