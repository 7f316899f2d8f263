import { isIP } from 'node:net'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { restartWish, wantsRestart } from '../../../../kube/index.ts'
import { duplicate, type Fault, forbiddenField, invalidValue } from '../../faults.ts'
import { checked, ipAddress } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { dnsSubdomain, qualifiedName } from '../../validation/names.ts'
import type { Of } from '../define.ts'

const systemConditions = ['PodScheduled', 'Ready', 'Initialized']

/** Changes of a status that cannot happen while all goes well. */
export function validatePodStatus(pod: Of<Pod>, old: Of<Pod>): Fault[] {
  const [status, before] = [pod.status ?? {}, old.status ?? {}]
  const faults: Fault[] = []
  for (const [index, { type }] of (status.conditions ?? []).entries()) {
    if (systemConditions.includes(type)) continue
    faults.push(...checked(`metadata.conditions[${index}].Type`, type, qualifiedName))
  }
  if ((pod.spec?.nodeName ?? '') !== (old.spec?.nodeName ?? '')) {
    faults.push(forbiddenField('status.nodeName', 'may not be changed directly'))
  }
  const nominated = status.nominatedNodeName
  if (nominated && nominated !== before.nominatedNodeName) {
    faults.push(...checked('status.nominatedNodeName', nominated, dnsSubdomain))
  }
  faults.push(...immutableField('status.qosClass', status.qosClass, before.qosClass))
  const containers = [...(old.spec?.containers ?? []), ...(old.spec?.initContainers ?? [])]
  for (const field of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    for (const [index, ended] of (before[field] ?? []).entries()) {
      const exit = ended.state?.terminated
      if (exit === undefined) continue
      const manifest = containers.find(({ name }) => name === ended.name)
      const mayCome =
        field !== 'ephemeralContainerStatuses' &&
        wantsRestart(restartWish(old.spec?.restartPolicy, manifest), exit.exitCode)
      if (mayCome) continue
      const isAlive = (status[field] ?? []).some(
        ({ name, state }) => name === ended.name && !state?.terminated,
      )
      if (!isAlive) continue
      faults.push(
        forbiddenField(`status.${field}[${index}].state`, 'may not be transitioned to non-terminated state'),
      )
    }
  }
  return [
    ...faults,
    ...addressFaults('status.podIPs', status.podIPs ?? []),
    ...hostFaults(status.hostIP, status.hostIPs ?? []),
  ]
}

function hostFaults(address: string | undefined, addresses: readonly { ip?: string }[]): Fault[] {
  const [first] = addresses
  if (first === undefined) return []
  const faults =
    first.ip === address
      ? []
      : [invalidValue('status.hostIPs[0].ip', first.ip ?? '', 'must be equal to `hostIP`')]
  return [...faults, ...addressFaults('status.hostIPs', addresses)]
}

/** One address of each family. */
function addressFaults(path: string, addresses: readonly { ip?: string }[]): Fault[] {
  const faults = addresses.flatMap(({ ip }, index) => ipAddress(`${path}[${index}]`, ip ?? ''))
  if (addresses.length < 2) return faults
  const families = new Set(addresses.map(({ ip }) => isIP(ip ?? '')))
  if (families.size < 2 || addresses.length > 2) {
    faults.push(invalidValue(path, addresses, 'may specify no more than one IP for each IP family'))
  }
  const seen = new Set<string | undefined>()
  for (const [index, address] of addresses.entries()) {
    if (seen.has(address.ip)) faults.push(duplicate(`${path}[${index}]`, address))
    seen.add(address.ip)
  }
  return faults
}
