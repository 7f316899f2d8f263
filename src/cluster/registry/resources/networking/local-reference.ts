import { type Fault, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { dnsSubdomain, pathSegment } from '../../validation/names.ts'

interface LocalReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
}

/** Faults of a reference from an ingress, or its class, to an object of any kind. */
export function localReferenceFaults(path: string, { apiGroup, kind, name }: LocalReference): Fault[] {
  return [
    ...(apiGroup === undefined ? [] : checked(`${path}.apiGroup`, apiGroup, dnsSubdomain)),
    ...(kind ? checked(`${path}.kind`, kind, pathSegment) : [required(`${path}.kind`)]),
    ...(name ? checked(`${path}.name`, name, pathSegment) : [required(`${path}.name`)]),
  ]
}
