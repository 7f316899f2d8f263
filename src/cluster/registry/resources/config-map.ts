import type { ConfigMap } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, tooLong } from '../faults.ts'
import { same } from '../validation/equality.ts'
import { byteLength, configMapKey } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

const mostBytes = 1024 * 1024

export const configMaps = define<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  shortNames: ['cm'],
  validate(object) {
    const faults: Fault[] = []
    const { data, binaryData } = object
    let size = 0
    for (const key in data) {
      for (const text of configMapKey(key)) faults.push(invalidValue(`data[${key}]`, key, text))
      // Both maps become files of one directory when they are mounted.
      if (binaryData && key in binaryData) {
        faults.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
      }
      size += byteLength(data[key] ?? '')
    }
    for (const key in binaryData) {
      for (const text of configMapKey(key)) faults.push(invalidValue(`binaryData[${key}]`, key, text))
      size += decodedBytes(binaryData[key] ?? '')
    }
    if (size > mostBytes) faults.push(tooLong('[]', mostBytes))
    return faults
  },
  validateUpdate(object, old) {
    if (old.immutable !== true) return []
    const faults: Fault[] = []
    if (object.immutable !== true) {
      faults.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'))
    }
    for (const field of ['data', 'binaryData'] as const) {
      if (!same(object[field] ?? {}, old[field] ?? {})) {
        faults.push(forbiddenField(field, 'field is immutable when `immutable` is set'))
      }
    }
    return faults
  },
  columns: [
    nameColumn,
    column(
      'Data',
      "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.",
      (object) => Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    ),
    ageColumn,
  ],
})

/** Size of base64 text once decoded, without decoding it. */
export function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return (base64.length / 4) * 3 - padding
}
