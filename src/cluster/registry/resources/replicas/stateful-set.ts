import type { StatefulSet } from 'kubernetes-types/apps/v1.js'
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { countOrPercent, notMoreThanAll, notNegative } from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { ageColumn, containerColumns, nameColumn } from '../columns.ts'
import type { ResourceRequest } from '../../request.ts'
import { validateClaimSpec } from '../../validation/claims.ts'
import { define, type Of } from '../define.ts'
import { inGoNames } from '../internal-form.ts'
import { setPodSpecDefaults } from '../pod/defaults.ts'
import { isNothing, validateCounts, validateLastingTemplate, validateSelector } from './checks.ts'
import { readyColumn, replicasScale, warnOfTemplate } from './kept-pods.ts'

type Spec = NonNullable<StatefulSet['spec']>

const mayChange = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

const ofStatefulSets = {
  all: [
    'replicas',
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
    'observedGeneration',
    'collisionCount',
  ],
  parts: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
  ready: 'status.readyReplicas',
} as const

export const statefulSets = define<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  namespaced: true,
  nameRule: 'label',
  shortNames: ['sts'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  scale: replicasScale,
  setDefaults(object) {
    object.spec ??= { selector: {}, template: {}, serviceName: '' }
    const { spec } = object
    spec.podManagementPolicy ||= 'OrderedReady'
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.partition ??= 0
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {}
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.template ??= {}
    spec.template.spec ??= { containers: [] }
    setPodSpecDefaults(spec.template.spec)
    const { volumeClaimTemplates } = spec
    if (volumeClaimTemplates) spec.volumeClaimTemplates = volumeClaimTemplates.map(withClaimDefaults)
    object.status ??= { replicas: 0 }
  },
  prepareForCreate(object, request) {
    object.status = { replicas: 0, availableReplicas: 0 }
    warnOfTemplate(object.spec?.template, request)
    warnOfHistory(object, request)
  },
  prepareForUpdate(object, _old, request) {
    if (request.subresource === undefined) warnOfHistory(object, request)
  },
  validate({ spec = { selector: {}, template: {}, serviceName: '' } }) {
    const { podManagementPolicy = '', selector, template } = spec
    const faults: Fault[] = []
    if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
      const text = "must be 'OrderedReady' or 'Parallel'"
      faults.push(invalidValue('spec.podManagementPolicy', podManagementPolicy, text))
    }
    faults.push(
      ...strategyFaults(spec),
      ...retentionFaults(spec),
      ...notNegative('spec.replicas', spec.replicas),
      ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
      ...notNegative('spec.ordinals.start', spec.ordinals?.start),
    )
    faults.push(...validateSelector('statefulset', selector, template))
    return [...faults, ...claimFaults(spec), ...validateLastingTemplate('StatefulSet', withClaims(spec))]
  },
  validateUpdate({ spec }, old) {
    const fixed = (whole: Spec | undefined): object => {
      const rest: Partial<Spec> = { ...whole }
      for (const field of mayChange) delete rest[field]
      return rest
    }
    if (same(fixed(spec), fixed(old.spec))) return []
    const text = `updates to statefulset spec for fields other than ${mayChange
      .slice(0, -1)
      .map((field) => `'${field}'`)
      .join(', ')} and 'minReadySeconds' are forbidden`
    return [forbiddenField('spec', text)]
  },
  validateStatus: ({ status }, old) => validateCounts(status, old.status, ofStatefulSets),
  columns: [
    nameColumn,
    readyColumn,
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template?.spec?.containers ?? []),
  ],
})

function withClaimDefaults(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    ...claim,
    spec: { volumeMode: 'Filesystem', ...claim.spec },
    status: { phase: 'Pending', ...claim.status },
  }
}

function warnOfHistory({ spec }: Of<StatefulSet>, request: ResourceRequest): void {
  if ((spec?.revisionHistoryLimit ?? 0) >= 0) return
  request.warn(
    'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
  )
}

/** What could never become a claim is refused at once, not pod by pod. */
function claimFaults({ volumeClaimTemplates = [] }: Spec): Fault[] {
  return volumeClaimTemplates.flatMap(({ metadata, spec }, index) => {
    const path = `spec.volumeClaimTemplates[${index}]`
    return [
      ...(metadata?.name ? [] : [required(`${path}.metadata.name`)]),
      ...validateClaimSpec(`${path}.spec`, spec ?? {}),
    ]
  })
}

/** Containers may mount what the claim templates will bring. */
function withClaims({ template, volumeClaimTemplates = [] }: Spec): Spec['template'] {
  if (template.spec === undefined || volumeClaimTemplates.length === 0) return template
  const claimed = volumeClaimTemplates.map(({ metadata }) => ({
    name: metadata?.name ?? '',
    persistentVolumeClaim: { claimName: metadata?.name ?? '' },
  }))
  const names = new Set(claimed.map(({ name }) => name))
  const own = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...template, spec: { ...template.spec, volumes: [...own, ...claimed] } }
}

function strategyFaults({ updateStrategy = {} }: Spec): Fault[] {
  const path = 'spec.updateStrategy'
  const { type, rollingUpdate } = updateStrategy
  if (type === 'OnDelete') {
    const text = "only allowed for updateStrategy 'RollingUpdate'"
    const shown = inGoNames(rollingUpdate)
    return rollingUpdate ? [invalidValue(`${path}.rollingUpdate`, shown, text)] : []
  }
  if (type !== 'RollingUpdate') {
    return [invalidValue(path, inGoNames(updateStrategy), "must be 'RollingUpdate' or 'OnDelete'")]
  }
  const faults = notNegative(`${path}.rollingUpdate.partition`, rollingUpdate?.partition)
  const most = rollingUpdate?.maxUnavailable
  if (most !== undefined) {
    const at = `${path}.rollingUpdate.maxUnavailable`
    faults.push(...countOrPercent(at, most))
    if (isNothing(most)) faults.push(invalidValue(at, most, 'cannot be 0'))
    faults.push(...notMoreThanAll(at, most))
  }
  return faults
}

function retentionFaults({ persistentVolumeClaimRetentionPolicy: policy = {} }: Spec): Fault[] {
  const path = 'spec.persistentVolumeClaimRetentionPolicy'
  return (['whenDeleted', 'whenScaled'] as const).flatMap((field) => {
    const value = policy[field]
    if (value === 'Retain' || value === 'Delete') return []
    return [notSupported(`${path}.${field}`, value ?? '', ['Retain', 'Delete'])]
  })
}
