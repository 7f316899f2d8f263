import { type Fault, required, tooLong } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { byteLength, qualifiedName } from '../../validation/names.ts'

const mostParameters = 512
const mostParameterBytes = 256 * 1024

/** Whoever makes or changes the volumes of a class. */
export function driverFaults(path: string, name: string | undefined): Fault[] {
  return name ? checked(path, name.toLowerCase(), qualifiedName) : [required(path)]
}

/** What a class tells its driver. */
export function parameterFaults(parameters: Readonly<Record<string, string>>): Fault[] {
  const entries = Object.entries(parameters)
  if (entries.length > mostParameters) return [tooLong('parameters', mostParameters)]
  const faults: Fault[] = []
  let size = 0
  for (const [key, value] of entries) {
    if (key === '') faults.push(required('parameters', 'field can not be empty.'))
    size += byteLength(key) + byteLength(value)
  }
  if (size > mostParameterBytes) faults.push(tooLong('parameters', mostParameterBytes))
  return faults
}
