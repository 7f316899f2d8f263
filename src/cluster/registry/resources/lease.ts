import type { Lease } from 'kubernetes-types/coordination/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported } from '../faults.ts'
import { checked } from '../validation/checks.ts'
import { qualifiedName } from '../validation/names.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

/** Fields of coordinated leader election. */
interface Coordination {
  strategy?: string
  preferredHolder?: string
}

const strategies = ['OldestEmulationVersion']

export const leases = define<Lease & { spec?: Coordination }>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  createsOnUpdate: true,
  namespaced: true,
  updateNeedsVersion: true,
  setDefaults(object) {
    object.spec ??= {}
  },
  validate(object) {
    const { leaseDurationSeconds: duration, leaseTransitions: transitions } = object.spec ?? {}
    const { strategy, preferredHolder } = object.spec ?? {}
    const faults: Fault[] = []
    if (duration !== undefined && duration <= 0) {
      faults.push(invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
    }
    if (transitions !== undefined && transitions < 0) {
      faults.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'))
    }
    if (strategy !== undefined) {
      const path = 'spec.strategy.strategy'
      if (strategy.includes('/')) faults.push(...checked(path, strategy, qualifiedName))
      else if (!strategies.includes(strategy)) faults.push(notSupported(path, strategy, strategies))
    }
    if (preferredHolder && !strategy) {
      faults.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
    }
    return faults
  },
  columns: [
    nameColumn,
    column(
      'Holder',
      'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.',
      (object) => object.spec?.holderIdentity ?? '',
    ),
    ageColumn,
  ],
})
