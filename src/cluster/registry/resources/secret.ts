import type { Secret } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required, tooLong } from '../faults.ts'
import { same } from '../validation/equality.ts'
import { immutableField } from '../validation/metadata.ts'
import { configMapKey } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { decodedBytes } from './config-map.ts'
import { define, type Of } from './define.ts'

const mostBytes = 1024 * 1024
const accountAnnotation = 'kubernetes.io/service-account.name'

/** Keys without which a secret of that type is of no use. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const secrets = define<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  setDefaults(object) {
    object.type ||= 'Opaque'
    const { stringData } = object
    if (stringData === undefined) return
    // Plain text is a way of writing, never of storing or reading.
    delete object.stringData
    const data = { ...object.data }
    for (const key in stringData) data[key] = Buffer.from(stringData[key] ?? '').toString('base64')
    if (Object.keys(data).length > 0) object.data = data
  },
  validate(object) {
    const faults: Fault[] = []
    let size = 0
    for (const key in object.data) {
      for (const text of configMapKey(key)) faults.push(invalidValue(`data[${key}]`, key, text))
      size += decodedBytes(object.data[key] ?? '')
    }
    if (size > mostBytes) faults.push(tooLong('data', mostBytes))
    faults.push(...typeFaults(object))
    return faults
  },
  validateUpdate(object, old) {
    const faults = immutableField('type', object.type, old.type)
    if (old.immutable !== true) return faults
    if (object.immutable !== true) {
      faults.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'))
    }
    if (!same(object.data ?? {}, old.data ?? {})) {
      faults.push(forbiddenField('data', 'field is immutable when `immutable` is set'))
    }
    return faults
  },
  selectableFields: { type: (object) => object.type ?? '' },
  columns: [
    nameColumn,
    column(
      'Type',
      'Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types',
      (object) => object.type ?? '',
    ),
    column(
      'Data',
      "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
      (object) => Object.keys(object.data ?? {}).length,
    ),
    ageColumn,
  ],
})

function typeFaults({ type = '', data = {}, metadata }: Of<Secret>): Fault[] {
  if (type === 'kubernetes.io/service-account-token') {
    return metadata.annotations?.[accountAnnotation]
      ? []
      : [required(`metadata.annotations[${accountAnnotation}]`)]
  }
  if (type === 'kubernetes.io/basic-auth') {
    return 'username' in data || 'password' in data
      ? []
      : [required('data[username]'), required('data[password]')]
  }
  if (type === 'kubernetes.io/ssh-auth') {
    return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')]
  }
  const faults: Fault[] = []
  for (const key of requiredKeys[type] ?? []) {
    const value = data[key]
    if (value === undefined) faults.push(required(`data[${key}]`))
    else if (key.startsWith('.docker')) {
      const fault = jsonFault(Buffer.from(value, 'base64').toString())
      if (fault) faults.push(invalidValue(`data[${key}]`, '<secret contents redacted>', fault))
    }
  }
  return faults
}

function jsonFault(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && !Array.isArray(value)) return undefined
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
  } catch {
    const first = text.trimStart().charAt(0)
    return first === '' || first === '{' || first === '['
      ? 'unexpected end of JSON input'
      : `invalid character '${first}' looking for beginning of value`
  }
}
