import type { Json } from '../../../kube/index.ts'
import type { Shape } from './shape.ts'

/** The words of `encoding/json` for what stands at a path, where something of another shape belongs. */
export function jsonMismatch(
  { root, path }: { readonly root: Shape; readonly path: readonly (string | number)[] },
  what: string,
  shape: Shape,
): string {
  let at: Shape | undefined = root
  let struct = ''
  const fields: string[] = []
  // Go names the innermost struct, and the fields on the way without list indices and map keys.
  for (const step of path) {
    while (at?.is === 'either') at = typeof step === 'number' ? at.other : at.object
    if (at?.is === 'struct') {
      struct = at.name
      fields.push(String(step))
      at = at.fields.get(String(step))?.shape
    } else at = at?.is === 'map' ? at.value : at?.is === 'list' ? at.item : undefined
  }
  return `json: cannot unmarshal ${what} into Go struct field ${struct}.${fields.join('.')} of type ${shape.goType}`
}

/** The words of `runtime.DefaultUnstructuredConverter`. */
export function mapMismatch(value: Json, shape: Shape): string {
  if (shape.is === 'map' || shape.is === 'list')
    return `cannot restore ${shape.is === 'list' ? 'slice' : 'map'} from ${reflectKind(value)}`
  if (shape.is === 'struct') return `cannot restore struct from: ${reflectKind(value)}`
  const source = reflectKind(value)
  const goKind = { string: 'string', boolean: 'bool', int32: 'int32', int64: 'int64', float: 'float64' }[
    shape.is as string
  ]
  const isNumeric = source === 'int64' || source === 'float64'
  const target = goKind ?? 'string'
  // Go can convert an integer to a string (as a code point) and numbers to each other, so those pairs fail later.
  const isConvertible = isNumeric && (target === 'string' ? source === 'int64' : target !== 'bool')
  return isConvertible ? `cannot convert ${source} to ${shape.goType}` : `unrecognized type: ${target}`
}

function reflectKind(value: Json): string {
  if (Array.isArray(value)) return 'slice'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int64'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    default:
      return 'map'
  }
}

/** How `encoding/json` calls a kind of value. */
export function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
    case 'bigint':
      return 'number'
    default:
      return value === null ? 'null' : 'object'
  }
}
