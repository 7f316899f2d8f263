/** The path of a field within another, as faults name it: `spec.workers`. */
export function child(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
