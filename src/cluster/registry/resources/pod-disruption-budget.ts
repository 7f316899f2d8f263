import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { type Fault, invalidValue } from '../faults.ts'
import {
  countOrPercent,
  notMoreThanAll,
  notNegative,
  optionalChoice,
  validateLabelSelector,
} from '../validation/checks.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

export const podDisruptionBudgets = define<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
  shortNames: ['pdb'],
  hasStatus: true,
  tracksGeneration: true,
  updateNeedsVersion: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  },
  prepareForCreate(object) {
    object.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  },
  validate({ spec = {} }) {
    const faults: Fault[] = []
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      const shown = {
        MinAvailable: spec.minAvailable,
        Selector: spec.selector ?? null,
        MaxUnavailable: spec.maxUnavailable,
        UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
      }
      faults.push(invalidValue('spec', shown, 'minAvailable and maxUnavailable cannot be both set'))
    }
    faults.push(
      ...shareOfPods('spec.minAvailable', spec.minAvailable),
      ...shareOfPods('spec.maxUnavailable', spec.maxUnavailable),
      ...validateLabelSelector('spec.selector', spec.selector),
      ...optionalChoice('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, [
        'AlwaysAllow',
        'IfHealthyBudget',
      ]),
    )
    return faults
  },
  validateStatus: ({ status }) =>
    (['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((field) =>
      notNegative(`status.${field}`, status?.[field]),
    ),
  columns: [
    nameColumn,
    column('Min Available', 'The minimum number of pods that must be available.', ({ spec }) =>
      String(spec?.minAvailable ?? 'N/A'),
    ),
    column('Max Unavailable', 'The maximum number of pods that may be unavailable.', ({ spec }) =>
      String(spec?.maxUnavailable ?? 'N/A'),
    ),
    column(
      'Allowed Disruptions',
      'Calculated number of pods that may be disrupted at this time.',
      ({ status }) => status?.disruptionsAllowed ?? 0,
      'integer',
    ),
    ageColumn,
  ],
})

function shareOfPods(path: string, amount: number | string | undefined): Fault[] {
  return amount === undefined ? [] : [...countOrPercent(path, amount), ...notMoreThanAll(path, amount)]
}
