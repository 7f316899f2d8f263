import type { CustomResourceDefinitionSpec } from 'kubernetes-types/apiextensions/v1.js'
import { type Fault, invalidValue } from '../faults.ts'

/** What an established CRD can no longer change, and what its stored objects still need. */
export function changeFaults(
  spec: CustomResourceDefinitionSpec,
  old: CustomResourceDefinitionSpec,
  { isEstablished }: { readonly isEstablished: boolean },
): Fault[] {
  const faults: Fault[] = []
  const fixed = (field: string, value: unknown, before: unknown): void => {
    if (value !== before) faults.push(invalidValue(field, value, 'field is immutable'))
  }
  fixed('spec.group', spec.group, old.group)
  fixed('spec.names.plural', spec.names.plural, old.names.plural)
  if (isEstablished) {
    fixed('spec.scope', spec.scope, old.scope)
    fixed('spec.names.kind', spec.names.kind, old.names.kind)
  }
  return faults
}

/** Versions that objects are stored in must stay known. */
export function storedVersionFaults(stored: readonly string[], spec: CustomResourceDefinitionSpec): Fault[] {
  if (stored.length === 0)
    return [invalidValue('status.storedVersions', stored, 'must have at least one stored version')]
  const known = new Set(spec.versions.map((version) => version.name))
  const missing = stored.flatMap((name, at) =>
    known.has(name)
      ? []
      : [
          invalidValue(
            `status.storedVersions[${at}]`,
            name,
            `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
          ),
        ],
  )
  const current = spec.versions.find((version) => version.storage)?.name
  if (current === undefined || stored.includes(current)) return missing
  return [
    invalidValue('status.storedVersions', stored, `must have the storage version ${current}`),
    ...missing,
  ]
}
