import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  Variable,
} from 'kubernetes-types/admissionregistration/v1.js'
import { type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import type { ResourceDefinition } from '../../resource.ts'
import { requiredChoice } from '../../validation/checks.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define, plain, storageVersionHash } from '../define.ts'
import { isBlank } from './match-conditions.ts'
import { setMatchDefaults } from './match-resources.ts'
import { commonFaults, paramKindColumn, type PolicyCheck } from './policy-parts.ts'

/** Younger than the typed API this program is built with. */
export interface MutatingAdmissionPolicy {
  readonly metadata?: { readonly name?: string }
  spec?: {
    paramKind?: ParamKind
    matchConstraints?: MatchResources
    variables?: Variable[]
    mutations?: Mutation[]
    failurePolicy?: string
    matchConditions?: MatchCondition[]
    reinvocationPolicy?: string
  }
}

interface Mutation {
  readonly patchType: string
  readonly applyConfiguration?: { readonly expression?: string }
  readonly jsonPatch?: { readonly expression?: string }
}

/** Mutating admission policies, with `checkExpressions` looking at every expression that is there at all. */
export function mutatingAdmissionPolicies(checkExpressions?: PolicyCheck): ResourceDefinition {
  return define<MutatingAdmissionPolicy>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'MutatingAdmissionPolicy',
    plural: 'mutatingadmissionpolicies',
    namespaced: false,
    categories: ['api-extensions'],
    tracksGeneration: true,
    updateNeedsVersion: true,
    // Kubernetes stores it in the version that the release before knows.
    storageVersionHash: storageVersionHash(
      'admissionregistration.k8s.io',
      'v1beta1',
      'MutatingAdmissionPolicy',
    ),
    setDefaults(policy) {
      policy.spec ??= {}
      policy.spec.failurePolicy ||= 'Fail'
      setMatchDefaults(policy.spec.matchConstraints)
    },
    validate: (policy) => [...specFaults(policy.spec ?? {}), ...(checkExpressions?.(plain(policy)) ?? [])],
    columns: [
      nameColumn,
      column(
        'Mutations',
        'Mutations indicates the number of mutation rules defined in this configuration',
        ({ spec }) => spec?.mutations?.length ?? 0,
        'integer',
      ),
      paramKindColumn(),
      ageColumn,
    ],
  })
}

function specFaults(spec: NonNullable<MutatingAdmissionPolicy['spec']>): Fault[] {
  const { mutations = [], reinvocationPolicy } = spec
  return [
    ...commonFaults(spec),
    ...(mutations.length === 0
      ? [required('spec.mutations', 'mutations must contain at least one item')]
      : mutations.flatMap((one, index) => mutationFaults(`spec.mutations[${index}]`, one))),
    ...requiredChoice('spec.reinvocationPolicy', reinvocationPolicy, ['IfNeeded', 'Never']),
  ]
}

/** Field of a mutation by its type. */
const fields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function mutationFaults(path: string, mutation: Mutation): Fault[] {
  const { patchType } = mutation
  if (!patchType) return [required(`${path}.patchType`)]
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    return [notSupported(`${path}.patchType`, patchType, Object.keys(fields))]
  }
  const own = fields[patchType]
  const other = fields[patchType === 'JSONPatch' ? 'ApplyConfiguration' : 'JSONPatch']
  const faults: Fault[] = []
  if (!mutation[own]) {
    faults.push(required(`${path}.${own}`, `must be specified when patchType is ${patchType}`))
  } else if (isBlank(mutation[own].expression)) {
    faults.push(required(`${path}.${own}.expression`, 'expression is not specified'))
  }
  if (mutation[other]) {
    const text = `must not be specified when patchType is ${patchType}`
    faults.push(invalidValue(`${path}.${other}`, `{${other}}`, text))
  }
  return faults
}
