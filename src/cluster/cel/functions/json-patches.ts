import { type CelFunction, global, overload } from '../function.ts'
import { string } from '../types.ts'

/** What patches of admission policies are written with (https://kubernetes.io/docs/reference/using-api/cel/). */
export const jsonPatches: readonly CelFunction[] = [
  // A step of a JSON pointer (RFC 6901).
  global(
    'jsonpatch.escapeKey',
    overload<[string]>(['string'], string, ([key]) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
  ),
]
