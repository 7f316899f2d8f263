import type { CustomResourceDefinitionNames } from 'kubernetes-types/apiextensions/v1.js'
import { type Fault, invalidValue, required } from '../faults.ts'
import { dns1035Label } from '../validation/names.ts'

/** Faults of the names of a CRD's kind, in the order and the words of the API server. */
export function nameFaults(names: CustomResourceDefinitionNames | undefined, path: string): Fault[] {
  const faults: Fault[] = []
  const label = (field: string, value: string | undefined, isNeeded: boolean): void => {
    if (!value) {
      if (isNeeded) faults.push(required(`${path}.${field}`))
      return
    }
    const wrong = dns1035Label(value)
    if (wrong.length > 0) faults.push(invalidValue(`${path}.${field}`, value, wrong.join(',')))
  }
  const kind = (field: string, value: string | undefined, isNeeded: boolean): void => {
    if (!value) {
      if (isNeeded) faults.push(required(`${path}.${field}`))
      return
    }
    const wrong = dns1035Label(value.toLowerCase())
    if (wrong.length > 0) {
      faults.push(
        invalidValue(
          `${path}.${field}`,
          value,
          `may have mixed case, but should otherwise match: ${wrong.join(',')}`,
        ),
      )
    }
  }
  label('plural', names?.plural, true)
  label('singular', names?.singular, false)
  kind('kind', names?.kind, true)
  kind('listKind', names?.listKind, false)
  for (const [at, name] of (names?.shortNames ?? []).entries()) label(`shortNames[${at}]`, name, true)
  for (const [at, name] of (names?.categories ?? []).entries()) label(`categories[${at}]`, name, true)
  if (names?.kind && names.kind === names.listKind) {
    faults.push(invalidValue(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  }
  return faults
}
