import type { Json } from '../../../kube/index.ts'
import { isObject } from './put.ts'

/** A value as Go's `%v` prints maps and slices: `map[a:1 b:[x y]]`. */
export function goFormat(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`
  if (!isObject(value)) return String(value)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goFormat(value[key])}`)
  return `map[${members.join(' ')}]`
}
