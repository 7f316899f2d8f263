import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  Variable,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../../kube/index.ts'
import { type Fault, invalidValue, required } from '../../faults.ts'
import { requiredChoice } from '../../validation/checks.ts'
import { dns1035Label, dnsSubdomain } from '../../validation/names.ts'
import { column } from '../columns.ts'
import type { ColumnOf } from '../define.ts'
import { conditionFaults, isBlank } from './match-conditions.ts'
import { validateMatch } from './match-resources.ts'

/** Faults of the expressions of a policy: whoever runs them knows whether they compile. */
export type PolicyCheck = (policy: KubeObject) => Fault[]

/** What every policy says, whatever it does with its requests. */
interface CommonSpec {
  readonly failurePolicy?: string
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly MatchCondition[]
  readonly variables?: readonly Variable[]
}

export function commonFaults(spec: CommonSpec): Fault[] {
  const { paramKind, matchConstraints } = spec
  const faults = requiredChoice('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore'])
  if (paramKind) faults.push(...paramKindFaults('spec.paramKind', paramKind))
  if (matchConstraints) {
    faults.push(...validateMatch('spec.matchConstraints', matchConstraints))
    if (!matchConstraints.resourceRules?.length) {
      faults.push(required('spec.matchConstraints.resourceRules'))
    }
  } else faults.push(required('spec.matchConstraints'))
  return [
    ...faults,
    ...conditionFaults('spec.matchConditions', spec.matchConditions ?? []),
    ...variableFaults('spec.variables', spec.variables ?? []),
  ]
}

/** A new column each time. */
export function paramKindColumn<T extends { readonly spec?: CommonSpec }>(): ColumnOf<T> {
  return column(
    'ParamKind',
    'ParamKind specifies the kind of resources used to parameterize this policy',
    ({ spec }) => {
      const { apiVersion = '', kind = '' } = spec?.paramKind ?? {}
      return spec?.paramKind ? `${apiVersion}/${kind}` : '<unset>'
    },
  )
}

function paramKindFaults(path: string, { apiVersion = '', kind = '' }: ParamKind): Fault[] {
  return [
    ...apiVersionFaults(`${path}.apiVersion`, apiVersion),
    ...(kind ? kindFaults(`${path}.kind`, kind) : [required(`${path}.kind`)]),
  ]
}

function apiVersionFaults(path: string, apiVersion: string): Fault[] {
  if (apiVersion === '') return [required(path)]
  const parts = apiVersion.split('/')
  if (parts.length > 2) {
    return [invalidValue(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  }
  const version = parts.at(-1) ?? ''
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const wrong = group === '' ? [] : dnsSubdomain(group)
  const faults = wrong.length > 0 ? [invalidValue(path, group, wrong.join(','))] : []
  if (version === '') return [...faults, invalidValue(path, apiVersion, 'version must be specified')]
  const wrongVersion = dns1035Label(version)
  return wrongVersion.length > 0 ? [...faults, invalidValue(path, version, wrongVersion.join(','))] : faults
}

function kindFaults(path: string, kind: string): Fault[] {
  const wrong = dns1035Label(kind.toLowerCase())
  if (wrong.length === 0) return []
  const text = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
  return [invalidValue(path, kind, text)]
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function variableFaults(path: string, variables: readonly Variable[]): Fault[] {
  return variables.flatMap(({ name = '', expression }, index) => {
    const faults: Fault[] = []
    if (isBlank(name)) faults.push(required(`${path}[${index}].name`, 'name is not specified'))
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name)) {
      faults.push(invalidValue(`${path}[${index}].name`, name, 'name is not a valid CEL identifier'))
    }
    if (isBlank(expression)) {
      faults.push(required(`${path}[${index}].expression`, 'expression is not specified'))
    }
    return faults
  })
}
