import type { ObjectFieldSelector, ResourceFieldSelector } from 'kubernetes-types/core/v1.js'
import { parseQuantity } from '../../../kube/index.ts'
import { type Fault, invalidValue, notSupported, required } from '../faults.ts'
import { checked } from './checks.ts'
import { qualifiedName } from './names.ts'

/** Fields of a pod that a downward API volume may show. */
export const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

/** Fields of a pod that an environment variable may show. */
export const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

const knownFields = new Set([...volumeFields, ...environmentFields, 'spec.restartPolicy', 'status.phase'])

const resourceFields = ['cpu', 'ephemeral-storage', 'memory'].flatMap((name) => [
  `limits.${name}`,
  `requests.${name}`,
])
const unitDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

export function validateFieldRef(
  path: string,
  reference: ObjectFieldSelector,
  allowed: readonly string[],
): Fault[] {
  if (!reference.apiVersion) return [required(`${path}.apiVersion`)]
  const { fieldPath } = reference
  if (!fieldPath) return [required(`${path}.fieldPath`)]
  const [, field, subscript] = /^(.*)\['([^']*)'\]$/.exec(fieldPath) ?? []
  if (field !== undefined && subscript !== undefined) {
    if (field === 'metadata.annotations') return checked(path, subscript.toLowerCase(), qualifiedName)
    if (field === 'metadata.labels') return checked(path, subscript, qualifiedName)
  }
  if (!knownFields.has(fieldPath) || reference.apiVersion !== 'v1') {
    const why =
      reference.apiVersion === 'v1'
        ? `field label not supported: ${fieldPath}`
        : `unsupported pod version: ${reference.apiVersion}`
    return [invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`)]
  }
  return allowed.includes(fieldPath) ? [] : [notSupported(`${path}.fieldPath`, fieldPath, allowed)]
}

export function validateResourceFieldRef(
  path: string,
  reference: ResourceFieldSelector,
  options: { needsContainer: boolean },
): Fault[] {
  const { resource } = reference
  if (options.needsContainer && !reference.containerName) return [required(`${path}.containerName`)]
  if (!resource) return [required(`${path}.resource`)]
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource)
  const faults: Fault[] = []
  if (!resourceFields.includes(resource) && !isHugePages) {
    faults.push(notSupported(`${path}.resource`, resource, [...resourceFields].sort()))
  }
  const divisor = String(reference.divisor ?? '0')
  if (parseQuantity(divisor).nanos === 0n) return faults
  const kinds = { cpu: 'cpu', memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' }
  for (const [name, text] of Object.entries(kinds)) {
    if (resource !== `limits.${name}` && resource !== `requests.${name}`) continue
    const divisors = name === 'cpu' ? ['1m', '1'] : unitDivisors
    if (!divisors.includes(divisor)) {
      const list = name === 'cpu' ? '1m and 1' : unitDivisors.join(', ')
      faults.push(
        invalidValue(
          `${path}.divisor`,
          resource,
          `only divisor's values ${list} are supported with the ${text} resource`,
        ),
      )
    }
  }
  if (isHugePages && !unitDivisors.includes(divisor)) {
    faults.push(
      invalidValue(
        `${path}.divisor`,
        resource,
        `only divisor's values ${unitDivisors.join(', ')} are supported with the hugepages resource`,
      ),
    )
  }
  return faults
}
