import { parseLabelSelector, SelectorError } from '../../../kube/index.ts'
import { type Fault, invalidValue } from '../faults.ts'
import type { ScalePaths } from '../resource.ts'

const largestInt32 = 2 ** 31 - 1

/** Faults of the fields that the `scale` subresource reads. */
export function scaleFaults(object: unknown, paths: ScalePaths): Fault[] {
  const faults = [...replicas(object, paths.specReplicasPath), ...replicas(object, paths.statusReplicasPath)]
  const { labelSelectorPath } = paths
  if (!labelSelectorPath) return faults
  const found = look(object, labelSelectorPath)
  if (found.complaint !== undefined) return [...faults, invalidValue(labelSelectorPath, '', found.complaint)]
  if (found.value === undefined) return faults
  if (typeof found.value !== 'string') {
    return [
      ...faults,
      invalidValue(labelSelectorPath, '', mistyped(labelSelectorPath, found.value, 'string')),
    ]
  }
  try {
    parseLabelSelector(found.value)
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    faults.push(invalidValue(labelSelectorPath, found.value, error.message))
  }
  return faults
}

function replicas(object: unknown, path: string): Fault[] {
  const { value, complaint } = look(object, path)
  if (complaint !== undefined) return [invalidValue(path, 0, complaint)]
  if (value === undefined) return []
  if (typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isInteger(value))) {
    return [invalidValue(path, 0, mistyped(path, value, 'int64'))]
  }
  if (value < 0) return [invalidValue(path, value, 'should be a non-negative integer')]
  return value > largestInt32
    ? [invalidValue(path, value, `should be less than or equal to ${largestInt32}`)]
    : []
}

function look(object: unknown, path: string): { value?: unknown; complaint?: string } {
  let value = object
  const names = path.split('.').filter((name) => name !== '')
  for (const [at, name] of names.entries()) {
    if (value === undefined || value === null) return {}
    if (typeof value !== 'object' || Array.isArray(value)) {
      return { complaint: mistyped(`.${names.slice(0, at + 1).join('.')}`, value, 'map[string]interface {}') }
    }
    value = (value as Record<string, unknown>)[name]
  }
  return { value }
}

/** As Go's accessors of untyped objects complain. */
function mistyped(path: string, value: unknown, wanted: string): string {
  return `${path} accessor error: ${goText(value)} is of the type ${goType(value)}, expected ${wanted}`
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    default:
      return value === null ? '<nil>' : 'map[string]interface {}'
  }
}

function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}:${goText(field)}`)
    return `map[${fields.sort().join(' ')}]`
  }
  return value === null ? '<nil>' : String(value)
}
