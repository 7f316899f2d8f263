import type { ResourceQuota } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue, required } from '../faults.ts'
import { same } from '../validation/equality.ts'
import { isQuotaResource, quotaResourceName, resourceQuantity } from '../validation/quantities.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define, type Of } from './define.ts'

type Spec = NonNullable<ResourceQuota['spec']>

const podScopes = new Set([
  'Terminating',
  'NotTerminating',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
])
const scopes = new Set([...podScopes, 'BestEffort', 'VolumeAttributesClass'])
const existenceOnly = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
])
const computeKeys = new Set([
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
])
const contradictions = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

export const resourceQuotas = define<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
  shortNames: ['quota'],
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= {}
  },
  validate(object) {
    const spec = object.spec ?? {}
    return [...amountFaults('spec.hard', spec.hard), ...scopeFaults(spec), ...selectorFaults(spec)]
  },
  validateStatus: ({ status }) => [
    ...amountFaults('status.hard', status?.hard),
    ...amountFaults('status.used', status?.used),
  ],
  validateUpdate(object, old) {
    const [now, before] = [sortedScopes(object), sortedScopes(old)]
    return same(now, before)
      ? []
      : [invalidValue('spec.scopes', object.spec?.scopes ?? null, 'field is immutable')]
  },
  columns: [
    nameColumn,
    column(
      'Request',
      'Request represents a minimum amount of cpu/memory that a container may consume.',
      (object) => usageText(object, (key) => !key.startsWith('limits.')),
    ),
    column(
      'Limit',
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      (object) => usageText(object, (key) => key.startsWith('limits.')),
    ),
    ageColumn,
  ],
})

function sortedScopes(quota: Of<ResourceQuota>): string[] {
  return [...new Set(quota.spec?.scopes)].sort()
}

/** `cpu: 1/8, pods: 2/3` of the keys chosen. */
function usageText(quota: Of<ResourceQuota>, isChosen: (key: string) => boolean): string {
  const { hard = {}, used = {} } = quota.status ?? {}
  return Object.keys(hard)
    .filter(isChosen)
    .sort()
    .map((key) => `${key}: ${used[key] ?? '0'}/${hard[key] ?? '0'}`)
    .join(', ')
}

function amountFaults(path: string, amounts: Record<string, string> | undefined): Fault[] {
  const faults: Fault[] = []
  for (const name in amounts) {
    const at = `${path}[${name}]`
    faults.push(...quotaResourceName(name, at), ...resourceQuantity(name, amounts[name] ?? '0', at))
  }
  return faults
}

function appliesTo(scope: string, key: string): boolean {
  if (podScopes.has(scope)) return key === 'pods' || computeKeys.has(key)
  if (scope === 'BestEffort') return key === 'pods'
  if (scope === 'VolumeAttributesClass') {
    return key === 'persistentvolumeclaims' || key === 'requests.storage'
  }
  return true
}

function scopeFaults(spec: Spec): Fault[] {
  const chosen = spec.scopes ?? []
  const faults: Fault[] = []
  for (const scope of chosen) {
    if (!scopes.has(scope)) faults.push(invalidValue('spec.scopes', chosen, 'unsupported scope'))
    for (const key of Object.keys(spec.hard ?? {}).sort()) {
      if (isQuotaResource(key) && !appliesTo(scope, key)) {
        faults.push(invalidValue('spec.scopes', chosen, 'unsupported scope applied to resource'))
      }
    }
  }
  faults.push(...contradictionFaults('spec.scopes', chosen, chosen))
  return faults
}

function contradictionFaults(path: string, chosen: readonly string[], shown: unknown): Fault[] {
  return contradictions
    .filter((pair) => pair.every((scope) => chosen.includes(scope)))
    .map(() => invalidValue(path, shown, 'conflicting scopes'))
}

function selectorFaults(spec: Spec): Fault[] {
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = spec.scopeSelector?.matchExpressions ?? []
  const faults: Fault[] = []
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.has(scopeName)) {
      faults.push(invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope'))
    }
    for (const key of Object.keys(spec.hard ?? {}).sort()) {
      if (isQuotaResource(key) && !appliesTo(scopeName, key)) {
        faults.push(invalidValue(path, inGoCase(spec.scopeSelector), 'unsupported scope applied to resource'))
      }
    }
    if (existenceOnly.has(scopeName) && operator !== 'Exists') {
      faults.push(
        invalidValue(
          `${path}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      )
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        faults.push(
          required(
            `${path}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        )
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        faults.push(
          invalidValue(
            `${path}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        )
      }
    } else {
      faults.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
    }
  }
  const names = expressions.map(({ scopeName }) => scopeName)
  faults.push(...contradictionFaults(path, names, spec.scopes ?? null))
  return faults
}

/** Kubernetes shows this structure with the names that its fields have inside. */
function inGoCase(selector: Spec['scopeSelector']): object {
  return {
    MatchExpressions: (selector?.matchExpressions ?? []).map(({ scopeName, operator, values }) => ({
      ScopeName: scopeName,
      Operator: operator,
      Values: values ?? null,
    })),
  }
}
