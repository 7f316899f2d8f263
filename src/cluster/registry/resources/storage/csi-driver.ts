import type { CSIDriver, TokenRequest } from 'kubernetes-types/storage/v1.js'
import { duplicate, type Fault, invalidValue, notSupported } from '../../faults.ts'
import { optionalChoice } from '../../validation/checks.ts'
import { immutableField } from '../../validation/metadata.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'

/** Fields younger than the package of types. */
interface Recent {
  nodeAllocatableUpdatePeriodSeconds?: number
}

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType']
const lifecycleModes = ['Persistent', 'Ephemeral']
const leastUpdatePeriodSeconds = 10

export const csiDrivers = define<CSIDriver & { spec: Recent }>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  updateNeedsVersion: true,
  setDefaults(object) {
    object.spec ??= {}
    const { spec } = object
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  validate({ spec }) {
    const period = spec.nodeAllocatableUpdatePeriodSeconds
    const faults = [
      ...optionalChoice('spec.fsGroupPolicy', spec.fsGroupPolicy, groupPolicies),
      ...tokenFaults('spec.tokenRequests', spec.tokenRequests ?? []),
    ]
    for (const mode of spec.volumeLifecycleModes ?? []) {
      if (lifecycleModes.includes(mode)) continue
      faults.push(notSupported('spec.volumeLifecycleModes', mode, lifecycleModes))
    }
    if (period !== undefined && period < leastUpdatePeriodSeconds) {
      const text = `must be greater than or equal to ${leastUpdatePeriodSeconds} seconds`
      faults.push(invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, text))
    }
    return faults
  },
  validateUpdate: ({ spec }, { spec: before }) => [
    ...immutableField('spec.attachedRequired', spec.attachRequired, before.attachRequired),
    ...immutableField('spec.volumeLifecycleModes', spec.volumeLifecycleModes, before.volumeLifecycleModes),
  ],
  columns: [
    nameColumn,
    column(
      'AttachRequired',
      'attachRequired indicates this CSI volume driver requires an attach operation.',
      ({ spec }) => spec.attachRequired ?? true,
      'boolean',
    ),
    column(
      'PodInfoOnMount',
      'podInfoOnMount indicates this CSI volume driver requires additional pod information during mount operations.',
      ({ spec }) => spec.podInfoOnMount ?? false,
      'boolean',
    ),
    column(
      'StorageCapacity',
      'storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity that the driver deployment will report.',
      ({ spec }) => spec.storageCapacity ?? false,
      'boolean',
    ),
    column(
      'TokenRequests',
      "tokenRequests indicates the CSI driver needs pods' service account tokens it is mounting volume for to do necessary authentication.",
      ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    ),
    column(
      'RequiresRepublish',
      'requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to reflect any possible change in the mounted volume.',
      ({ spec }) => spec.requiresRepublish ?? false,
      'boolean',
    ),
    column(
      'Modes',
      'volumeLifecycleModes defines what kind of volumes this CSI volume driver supports.',
      ({ spec }) => spec.volumeLifecycleModes?.join(',') || '<none>',
    ),
    ageColumn,
  ],
})

const leastTokenSeconds = 600
const mostTokenSeconds = 2 ** 32

function tokenFaults(path: string, requests: readonly TokenRequest[]): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, { audience = '', expirationSeconds: seconds }] of requests.entries()) {
    const at = `${path}[${index}]`
    if (seen.has(audience)) {
      faults.push(duplicate(`${at}.audience`, audience))
      continue
    }
    seen.add(audience)
    if (seconds === undefined) continue
    let text: string | undefined
    if (seconds < leastTokenSeconds) text = 'may not specify a duration less than 10 minutes'
    else if (seconds > mostTokenSeconds) text = 'may not specify a duration larger than 2^32 seconds'
    if (text !== undefined) faults.push(invalidValue(`${at}.expirationSeconds`, seconds, text))
  }
  return faults
}
