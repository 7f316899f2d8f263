import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { immutableField, validateAnnotations, validateLabels } from '../../validation/metadata.ts'
import { validateNodeSelector } from '../../validation/node-selectors.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define, type Of } from '../define.ts'
import {
  claimFaults,
  requestNamesOf,
  requestReferenceFaults,
  type RequestNames,
  setClaimDefaults,
} from './claim-spec.ts'
import { driverFaults, labelFaults, poolFaults } from './device-names.ts'
import { listFaults, setFaults } from './lists.ts'
import { configurationFaults, most } from './selectors.ts'
import type { ClaimStatus, GivenDevice, ResourceClaim, ResourceClaimTemplate } from './types.ts'

const mostUsers = 256

export const resourceClaims = define<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  namespaced: true,
  hasStatus: true,
  setDefaults: ({ spec }) => setClaimDefaults(spec),
  validate: ({ spec }) => claimFaults('spec', spec),
  validateUpdate: ({ spec }, old) => immutableField('spec', spec, old.spec),
  validateStatus: statusFaults,
  columns: [
    nameColumn,
    column('State', 'A summary of the current state (allocated, pending, reserved, etc.).', stateText),
    ageColumn,
  ],
})

export const resourceClaimTemplates = define<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  namespaced: true,
  setDefaults: ({ spec }) => setClaimDefaults(spec.spec),
  validate: ({ spec: { metadata = {}, spec } }) => [
    ...validateAnnotations(metadata.annotations ?? {}, 'spec.metadata.annotations'),
    ...validateLabels(metadata.labels ?? {}, 'spec.metadata.labels'),
    ...claimFaults('spec.spec', spec),
  ],
  validateUpdate: ({ spec }, old) => immutableField('spec', spec, old.spec),
  columns: [nameColumn, ageColumn],
})

function stateText({ metadata, status }: Of<ResourceClaim>): string {
  const isGoing = metadata.deletionTimestamp !== undefined
  const states = isGoing ? ['deleted'] : []
  if (status?.allocation) states.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []))
  else if (!isGoing) states.push('pending')
  return states.join(',')
}

function statusFaults({ metadata, spec, status = {} }: Of<ResourceClaim>, old: Of<ResourceClaim>): Fault[] {
  const { reservedFor = [], allocation, devices = [] } = status
  const path = 'status.reservedFor'
  const faults = setFaults(path, reservedFor, mostUsers, {
    look: (user, at) =>
      (['resource', 'name', 'uid'] as const).flatMap((field) =>
        user[field] ? [] : [required(`${at}.${field}`)],
      ),
    key: ({ uid = '' }) => uid,
  })
  faults.push(...deviceFaults(devices, allocation?.devices?.results ?? []))
  if (reservedFor.length > 0 && !allocation) {
    faults.push(forbiddenField(path, 'may not be specified when `allocated` is not set'))
  } else if (reservedFor.length > 0 && metadata.deletionTimestamp !== undefined) {
    const before = new Set(old.status?.reservedFor?.map(({ uid }) => uid))
    const text = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
    if (reservedFor.some(({ uid }) => !before.has(uid))) faults.push(forbiddenField(path, text))
  }
  if (!allocation) return faults
  return old.status?.allocation
    ? [...faults, ...immutableField('status.allocation', allocation, old.status.allocation)]
    : [...faults, ...allocationFaults('status.allocation', allocation, requestNamesOf(spec))]
}

const idOf = ({ driver, pool, device }: Omit<GivenDevice, 'request'>): string => `${driver}/${pool}/${device}`

function deviceFaults(devices: NonNullable<ClaimStatus['devices']>, given: readonly GivenDevice[]): Fault[] {
  const known = new Set(given.map(idOf))
  return setFaults('status.devices', devices, Number.MAX_SAFE_INTEGER, {
    look: (one, at) => {
      const faults = placeFaults(one, at)
      const text = 'must be an allocated device in the claim'
      return known.has(idOf(one)) ? faults : [...faults, invalidValue(at, idOf(one), text)]
    },
    key: idOf,
  })
}

function placeFaults({ driver, pool, device }: Omit<GivenDevice, 'request'>, path: string): Fault[] {
  return [
    ...driverFaults(`${path}.driver`, driver),
    ...poolFaults(`${path}.pool`, pool),
    ...labelFaults(`${path}.device`, device),
  ]
}

function allocationFaults(
  path: string,
  { devices = {}, nodeSelector }: NonNullable<ClaimStatus['allocation']>,
  names: RequestNames,
): Fault[] {
  const { results = [], config = [] } = devices
  const sources = ['FromClaim', 'FromClass']
  return [
    ...listFaults(`${path}.devices.results`, results, most.items, (one, at) => [
      ...requestReferenceFaults(`${at}.request`, one.request, names),
      ...placeFaults(one, at),
    ]),
    ...listFaults(`${path}.devices.config`, config, 2 * most.items, (one, at) => {
      const source = `${at}.source`
      const wrong = one.source ? [notSupported(source, one.source, sources)] : [required(source)]
      return [
        ...(one.source && sources.includes(one.source) ? [] : wrong),
        ...listFaults(`${at}.requests`, one.requests ?? [], most.items, (name, where) =>
          requestReferenceFaults(where, name, names),
        ),
        ...configurationFaults(at, one),
      ]
    }),
    ...(nodeSelector ? validateNodeSelector(`${path}.nodeSelector`, nodeSelector) : []),
  ]
}
