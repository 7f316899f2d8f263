import { type Fault, invalidValue } from '../faults.ts'

/** No way up the tree. */
export function noBacksteps(path: string, value: string): Fault[] {
  return value.split('/').includes('..') ? [invalidValue(path, value, "must not contain '..'")] : []
}

/** A path inside some directory. */
export function localPath(path: string, value: string): Fault[] {
  const faults = value.startsWith('/') ? [invalidValue(path, value, 'must be a relative path')] : []
  return [...faults, ...noBacksteps(path, value)]
}

/** A path inside a volume that Kubernetes writes itself, where names with two dots are its own. */
export function unreservedPath(path: string, value: string | undefined): Fault[] {
  if (!value) return []
  const faults = localPath(path, value)
  if (value.startsWith('..') && !value.startsWith('../') && !value.split('/').includes('..')) {
    faults.push(invalidValue(path, value, "must not start with '..'"))
  }
  return faults
}
