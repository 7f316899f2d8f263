import type { EnvFromSource, EnvVar } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue, required } from '../../faults.ts'
import { checked } from '../checks.ts'
import { environmentFields, validateFieldRef, validateResourceFieldRef } from '../downward.ts'
import { configMapKey, dnsLabel, dnsSubdomain, environmentName } from '../names.ts'
import { unreservedPath } from '../paths.ts'

/** A value in a file that an init container wrote; younger than the typed API this program is built with. */
interface FileKeySelector {
  volumeName?: string
  path?: string
  key?: string
}

type Source = NonNullable<EnvVar['valueFrom']> & { fileKeyRef?: FileKeySelector }

export function validateEnvironment(path: string, variables: readonly EnvVar[]): Fault[] {
  return variables.flatMap(({ name, value, valueFrom }, index) => {
    const at = `${path}[${index}]`
    const faults = name ? checked(`${at}.name`, name, environmentName) : [required(`${at}.name`)]
    return valueFrom ? [...faults, ...sourceFaults(`${at}.valueFrom`, valueFrom, value)] : faults
  })
}

function sourceFaults(path: string, source: Source, value: string | undefined): Fault[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  const faults: Fault[] = []
  if (fieldRef) faults.push(...validateFieldRef(`${path}.fieldRef`, fieldRef, environmentFields))
  if (resourceFieldRef) {
    faults.push(
      ...validateResourceFieldRef(`${path}.resourceFieldRef`, resourceFieldRef, { needsContainer: false }),
    )
  }
  if (configMapKeyRef) faults.push(...keyFaults(`${path}.configMapKeyRef`, configMapKeyRef))
  if (secretKeyRef) faults.push(...keyFaults(`${path}.secretKeyRef`, secretKeyRef))
  if (fileKeyRef) faults.push(...fileFaults(`${path}.fileKeyRef`, fileKeyRef))
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length
  if (count === 0) {
    faults.push(
      invalidValue(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    )
  } else if (value) {
    faults.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  } else if (count > 1) {
    faults.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return faults
}

function keyFaults(path: string, { name = '', key }: { name?: string; key?: string }): Fault[] {
  return [
    ...checked(`${path}.name`, name, dnsSubdomain),
    ...(key ? checked(`${path}.key`, key, configMapKey) : [required(`${path}.key`)]),
  ]
}

function fileFaults(path: string, { volumeName, path: file, key }: FileKeySelector): Fault[] {
  return [
    ...(volumeName ? checked(`${path}.volumeName`, volumeName, dnsLabel) : [required(`${path}.volumeName`)]),
    ...(file ? unreservedPath(`${path}.path`, file) : [required(`${path}.path`)]),
    ...(key ? [] : [required(`${path}.key`)]),
  ]
}

export function validateEnvironmentSources(path: string, sources: readonly EnvFromSource[]): Fault[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`
    const faults = prefix ? checked(`${at}.prefix`, prefix, environmentName) : []
    for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
      if (!reference) continue
      if (reference.name) faults.push(...checked(`${at}.${field}.name`, reference.name, dnsSubdomain))
      else faults.push(required(`${at}.${field}.name`))
    }
    if (!configMapRef && !secretRef) {
      faults.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (configMapRef && secretRef) {
      faults.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
    }
    return faults
  })
}
