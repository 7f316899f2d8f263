/**
 * Would both be the same JSON, leaving aside the order of fields? Stops at the first difference, and makes no text: most
 * updates change something.
 */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((value, index) => sameJson(value, right[index]))
  }
  // What is neither a primitive nor an array is a record, here where all comes from JSON.
  const before = left as Record<string, unknown>
  const after = right as Record<string, unknown>
  for (const key of Object.keys(before)) if (!sameJson(before[key], after[key])) return false
  // A field without a value does not come into the text.
  for (const key of Object.keys(after)) if (!(key in before) && after[key] !== undefined) return false
  return true
}
