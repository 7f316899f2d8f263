import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from 'kubernetes-types/flowcontrol/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { same } from '../../validation/equality.ts'
import { dnsLabel, dnsSubdomain } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { conditionFaults } from './conditions.ts'
import { mandatoryFlowSchemas } from './suggested.ts'

type Spec = NonNullable<FlowSchema['spec']>

const highestPrecedence = 10_000
const usualPrecedence = 1000

export const flowSchemas = define<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  namespaced: false,
  hasStatus: true,
  tracksGeneration: true,
  setDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= usualPrecedence
  },
  validate: ({ metadata: { name = '' }, spec, status }) => [
    ...specFaults(name, spec ?? { priorityLevelConfiguration: { name: '' } }),
    ...conditionFaults(status?.conditions),
  ],
  validateStatus: ({ status }) => conditionFaults(status?.conditions),
  tableOrder: (one, other) =>
    (one.spec?.matchingPrecedence ?? 0) - (other.spec?.matchingPrecedence ?? 0) ||
    ((one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1),
  columns: [
    nameColumn,
    column(
      'PriorityLevel',
      '`name` is the name of the priority level configuration being referenced Required.',
      ({ spec }) => spec?.priorityLevelConfiguration.name ?? '',
    ),
    column(
      'MatchingPrecedence',
      '`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.  Each MatchingPrecedence value must be ranged in [1,10000]. Note that if the precedence is not specified, it will be set to 1000 as default.',
      ({ spec }) => spec?.matchingPrecedence ?? 0,
    ),
    column(
      'DistinguisherMethod',
      '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string.',
      ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>',
    ),
    ageColumn,
    column(
      'MissingPL',
      'references a broken or non-existent PriorityLevelConfiguration',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    ),
  ],
})

function specFaults(name: string, spec: Spec): Fault[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod: method, rules = [] } = spec
  const at = 'spec.matchingPrecedence'
  const faults: Fault[] = []
  if (precedence <= 0) faults.push(invalidValue(at, precedence, 'must be a positive value'))
  if (precedence > highestPrecedence) {
    faults.push(invalidValue(at, precedence, `must not be greater than ${highestPrecedence}`))
  }
  if (precedence === 1 && name !== 'exempt') {
    const text = "only the schema named 'exempt' may have matchingPrecedence 1"
    faults.push(invalidValue(at, precedence, text))
  }
  if (method && !methods.includes(method.type)) {
    faults.push(notSupported('spec.distinguisherMethod.type', method, methods))
  }
  const level = spec.priorityLevelConfiguration.name
  const path = 'spec.priorityLevelConfiguration.name'
  if (level) faults.push(...checked(path, level, dnsSubdomain))
  else faults.push(required(path, 'must reference a priority level'))
  faults.push(...rules.flatMap((rule, index) => ruleFaults(`spec.rules[${index}]`, rule)))
  const fixed = mandatoryFlowSchemas().find(({ metadata }) => metadata.name === name)
  return fixed && !same(spec, fixed.spec)
    ? [...faults, invalidValue('spec', spec, `spec of '${name}' must equal the fixed value`)]
    : faults
}

const methods = ['ByNamespace', 'ByUser']

function ruleFaults(path: string, rule: PolicyRulesWithSubjects): Fault[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  const faults = subjects.flatMap((one, index) => subjectFaults(`${path}.subjects[${index}]`, one))
  if (subjects.length === 0) {
    faults.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    faults.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  return [
    ...faults,
    ...resourceRules.flatMap((one, index) => resourceFaults(`${path}.resourceRules[${index}]`, one)),
    ...nonResourceRules.flatMap((one, index) => urlRuleFaults(`${path}.nonResourceRules[${index}]`, one)),
  ]
}

/** Field of a subject by its kind. */
const subjectFields = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const

function subjectFaults(path: string, subject: Subject): Fault[] {
  const { kind } = subject
  const kinds = Object.keys(subjectFields)
  if (!kinds.includes(kind)) return [notSupported(`${path}.kind`, kind, kinds)]
  const faults: Fault[] = []
  for (const [ofKind, field] of Object.entries(subjectFields)) {
    const given = subject[field]
    if (ofKind !== kind) {
      if (!given) continue
      const text = `${field} is forbidden when subject kind is not '${ofKind}'`
      faults.push(forbiddenField(`${path}.${field}`, text))
    } else if (!given) {
      // What is missing comes before what is too much.
      faults.unshift(required(`${path}.${field}`, `${field} is required when subject kind is '${kind}'`))
    } else faults.unshift(...namedFaults(`${path}.${field}`, given, kind === 'ServiceAccount'))
  }
  return faults
}

function namedFaults(
  path: string,
  { name, namespace = '' }: { readonly name: string; readonly namespace?: string },
  isAccount: boolean,
): Fault[] {
  const faults: Fault[] = []
  if (!name) faults.push(required(`${path}.name`))
  else if (isAccount && name !== '*') faults.push(...checked(`${path}.name`, name, dnsSubdomain))
  if (!isAccount) return faults
  return namespace
    ? [...faults, ...checked(`${path}.namespace`, namespace, dnsLabel)]
    : [...faults, required(`${path}.namespace`, 'must specify namespace for service account')]
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function verbFaults(path: string, given: readonly string[] = []): Fault[] {
  if (given.length === 0) return [required(path, 'verbs must contain at least one value')]
  if (given.includes('*')) return wildcardFaults(path, given, 'verbs')
  return given.every((verb) => verbs.includes(verb)) ? [] : [notSupported(path, given, verbs)]
}

function wildcardFaults(path: string, given: readonly string[], what: string): Fault[] {
  if (given.length < 2 || !given.includes('*')) return []
  return [invalidValue(path, given, `if '*' is present, must not specify other ${what}`)]
}

function resourceFaults(path: string, rule: ResourcePolicyRule): Fault[] {
  const { apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule
  const faults = verbFaults(`${path}.verbs`, rule.verbs)
  const lists = [
    ['apiGroups', apiGroups, 'api group'],
    ['resources', resources, 'resource'],
  ] as const
  for (const [field, values, what] of lists) {
    const at = `${path}.${field}`
    if (values.length === 0) faults.push(required(at, `resource rules must supply at least one ${what}`))
    else faults.push(...wildcardFaults(at, values, `${what}s`))
  }
  const at = `${path}.namespaces`
  if (namespaces.length === 0 && !clusterScope) {
    const text = 'resource rules that are not cluster scoped must supply at least one namespace'
    return [...faults, required(at, text)]
  }
  if (namespaces.includes('*')) return [...faults, ...wildcardFaults(at, namespaces, 'namespaces')]
  const intro = "each member of this list must be '*' or a DNS-1123 label; "
  return [
    ...faults,
    ...namespaces.flatMap((name, index) =>
      dnsLabel(name).map((text) => invalidValue(`${at}[${index}]`, name, intro + text)),
    ),
  ]
}

function urlRuleFaults(path: string, rule: NonResourcePolicyRule): Fault[] {
  const { nonResourceURLs: urls = [] } = rule
  const faults = verbFaults(`${path}.verbs`, rule.verbs)
  const at = `${path}.nonResourceURLs`
  if (urls.length === 0) {
    return [...faults, required(at, 'nonResourceURLs must contain at least one value')]
  }
  if (urls.includes('*')) return [...faults, ...wildcardFaults(at, urls, 'non-resource URLs')]
  return [
    ...faults,
    ...urls.flatMap((url, index) => {
      const wrong = wrongInUrl(url)
      return wrong ? [invalidValue(`${at}[${index}]`, url, wrong)] : []
    }),
  ]
}

function wrongInUrl(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const wildcards = url.split('*').length - 1
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined
}
