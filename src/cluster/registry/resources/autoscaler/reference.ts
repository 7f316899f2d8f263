import type { CrossVersionObjectReference } from 'kubernetes-types/autoscaling/v2.js'
import { type Fault, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { pathSegment } from '../../validation/names.ts'

/** Faults of a reference to an object of some kind in the same namespace. */
export function validateReference(path: string, reference: CrossVersionObjectReference | undefined): Fault[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = reference?.[field] ?? ''
    return value === '' ? [required(`${path}.${field}`)] : checked(`${path}.${field}`, value, pathSegment)
  })
}
