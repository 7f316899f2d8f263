import type { Admission, Reader } from '../../registry/index.ts'
import type { MatchResources, NamedRuleWithOperations } from 'kubernetes-types/admissionregistration/v1.js'
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { type LabelSelector, labelSelectorOf, matchesLabels } from '../../../kube/index.ts'

/** The wire's type lacks two of its fields. */
export type Rule = NamedRuleWithOperations & {
  readonly resources?: readonly string[]
  readonly scope?: string
}

const crds = 'apiextensions.k8s.io/customresourcedefinitions'
/** Other rules must not be able to lock out those who mend them. */
const exempt = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
])

/** Is this request one that policies and webhooks never look at? */
export function isExempt({ request }: Admission): boolean {
  if (request.isOwn) return true
  return request.resource.group === 'admissionregistration.k8s.io' && exempt.has(request.resource.plural)
}

const selectors = new WeakMap<object, LabelSelector>()

function selectorOf(selector: MatchResources['namespaceSelector']): LabelSelector {
  if (selector === undefined) return []
  const known = selectors.get(selector)
  if (known !== undefined) return known
  const made = labelSelectorOf(selector)
  selectors.set(selector, made)
  return made
}

/** Do these constraints take the request in? Without any rules every resource is taken in. */
export function matches(match: MatchResources | undefined, admission: Admission, reader: Reader): boolean {
  if (match === undefined) return true
  if (!selects(match, admission, reader)) return false
  const isTaken = (rules: readonly Rule[]): boolean =>
    rules.some((rule) => matchesRule(rule, match.matchPolicy ?? 'Equivalent', admission, reader))
  if (isTaken(match.excludeResourceRules ?? [])) return false
  const rules = match.resourceRules ?? []
  return rules.length === 0 || isTaken(rules)
}

type Selectors = Pick<MatchResources, 'namespaceSelector' | 'objectSelector'>

/** Do both selectors take the request in? */
export function selects(match: Selectors, admission: Admission, reader: Reader): boolean {
  return matchesNamespace(match, admission, reader) && matchesObject(match, admission)
}

function matchesNamespace(match: Selectors, admission: Admission, reader: Reader): boolean {
  const selector = selectorOf(match.namespaceSelector)
  if (selector.length === 0) return true
  const { request, object, oldObject, operation } = admission
  const isNamespace = request.resource.group === '' && request.resource.plural === 'namespaces'
  if (isNamespace) {
    const changed = operation === 'CREATE' || operation === 'UPDATE' ? object : oldObject
    return matchesLabels(selector, changed?.metadata.labels)
  }
  if (request.namespace === undefined) return true
  return matchesLabels(selector, reader.get('/namespaces', undefined, request.namespace)?.metadata.labels)
}

function matchesObject(match: Selectors, { object, oldObject }: Admission): boolean {
  const selector = selectorOf(match.objectSelector)
  if (selector.length === 0) return true
  return [object, oldObject].some(
    (one) => one?.metadata !== undefined && matchesLabels(selector, one.metadata.labels),
  )
}

function matchesRule(rule: Rule, policy: string, admission: Admission, reader: Reader): boolean {
  return (
    ruleNames(rule, admission) &&
    servedAs(admission, policy, reader).some((version) => ruleTakesVersion(rule, version))
  )
}

/** Does the rule speak of what is asked, in whichever group and version? */
export function ruleNames(rule: Rule, { operation, request, object }: Admission): boolean {
  const { resource, subresource = '' } = request
  if (!allows(rule.operations, operation)) return false
  const patterns = rule.resources ?? []
  if (!patterns.some((pattern) => matchesResource(pattern, resource.plural, subresource))) return false
  if (rule.scope === 'Namespaced' && !resource.namespaced) return false
  if (rule.scope === 'Cluster' && resource.namespaced) return false
  const name = request.name ?? object?.metadata?.name ?? ''
  return !rule.resourceNames?.length || rule.resourceNames.includes(name)
}

/** Does the rule speak of this group and version? */
export function ruleTakesVersion(
  rule: Rule,
  { group, version }: { readonly group: string; readonly version: string },
): boolean {
  return allows(rule.apiGroups, group) && allows(rule.apiVersions, version)
}

function allows(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((one) => one === '*' || one === value) ?? false
}

function matchesResource(pattern: string, plural: string, subresource: string): boolean {
  const slash = pattern.indexOf('/')
  const [resource, sub] = slash < 0 ? [pattern, ''] : [pattern.slice(0, slash), pattern.slice(slash + 1)]
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource)
}

/** The groups and versions through which the same object is served: a rule about one is meant for all. */
function servedAs(
  { request }: Admission,
  policy: string,
  reader: Reader,
): readonly { readonly group: string; readonly version: string }[] {
  const { group, version, plural, isCustom } = request.resource
  const own = { group, version }
  if (policy === 'Exact') return [own]
  if (plural === 'events' && (group === '' || group === 'events.k8s.io')) {
    return [
      { group: '', version: 'v1' },
      { group: 'events.k8s.io', version: 'v1' },
    ]
  }
  if (!isCustom) return [own]
  const crd = reader.get(crds, undefined, `${plural}.${group}`) as CustomResourceDefinition | undefined
  const versions = crd?.spec.versions.filter((one) => one.served).map((one) => ({ group, version: one.name }))
  return versions ?? [own]
}
