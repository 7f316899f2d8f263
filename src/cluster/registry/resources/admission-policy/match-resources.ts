import type { MatchResources, NamedRuleWithOperations } from 'kubernetes-types/admissionregistration/v1.js'
import { duplicate, type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, optionalChoice, requiredChoice, validateLabelSelector } from '../../validation/checks.ts'
import { pathSegment } from '../../validation/names.ts'

/** The typed API this program is built with has lost two fields. */
type Rule = NamedRuleWithOperations & { resources?: string[]; scope?: string }

/** Which requests a policy or its binding looks at. */
export function setMatchDefaults(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ||= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  const rules: Rule[] = [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]
  for (const rule of rules) rule.scope ??= '*'
}

export function validateMatch(path: string, match: MatchResources): Fault[] {
  return [
    ...requiredChoice(`${path}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact']),
    ...validateLabelSelector(`${path}.namespaceSelector`, match.namespaceSelector),
    ...validateLabelSelector(`${path}.objectSelector`, match.objectSelector),
    ...(match.resourceRules ?? []).flatMap((rule, index) =>
      ruleFaults(`${path}.resourceRules[${index}]`, rule),
    ),
    ...(match.excludeResourceRules ?? []).flatMap((rule, index) =>
      ruleFaults(`${path}.excludeResourceRules[${index}]`, rule),
    ),
  ]
}

const verbs = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

/** Faults of one rule of a policy or a webhook. */
export function ruleFaults(path: string, rule: Rule): Fault[] {
  const { apiGroups = [], apiVersions = [], operations = [], resources = [] } = rule
  const faults = nameFaults(`${path}.resourceNames`, rule.resourceNames ?? [])
  faults.push(...wildcardFaults(`${path}.operations`, operations, 'operations'))
  for (const [index, operation] of operations.entries()) {
    if (verbs.includes(operation)) continue
    faults.push(notSupported(`${path}.operations[${index}]`, operation, verbs))
  }
  faults.push(...wildcardFaults(`${path}.apiGroups`, apiGroups, 'API groups'))
  faults.push(...wildcardFaults(`${path}.apiVersions`, apiVersions, 'API versions'))
  for (const [index, version] of apiVersions.entries()) {
    if (version === '') faults.push(required(`${path}.apiVersions[${index}]`))
  }
  return [
    ...faults,
    ...resourceFaults(`${path}.resources`, resources),
    ...optionalChoice(`${path}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced']),
  ]
}

function nameFaults(path: string, names: readonly string[]): Fault[] {
  return names.flatMap((name, index) => {
    const faults = checked(`${path}[${index}]`, name, pathSegment)
    return names.indexOf(name) < index ? [...faults, duplicate(`${path}[${index}]`, name)] : faults
  })
}

function wildcardFaults(path: string, values: readonly string[], what: string): Fault[] {
  if (values.length === 0) return [required(path)]
  return values.length > 1 && values.includes('*')
    ? [invalidValue(path, values, `if '*' is present, must not specify other ${what}`)]
    : []
}

function resourceFaults(path: string, resources: readonly string[]): Fault[] {
  if (resources.length === 0) return [required(path)]
  const faults: Fault[] = []
  const withAllParts = new Set<string>()
  const partsOfAll = new Set<string>()
  for (const [index, resource] of resources.entries()) {
    const at = `${path}[${index}]`
    if (resource === '') faults.push(required(at))
    const slash = resource.indexOf('/')
    if (slash < 0) continue
    const [name, part] = [resource.slice(0, slash), resource.slice(slash + 1)]
    if (withAllParts.has(name)) {
      faults.push(invalidValue(at, resource, `if '${name}/*' is present, must not specify ${resource}`))
    }
    if (partsOfAll.has(part)) {
      faults.push(invalidValue(at, resource, `if '*/${part}' is present, must not specify ${resource}`))
    }
    if (part === '*') withAllParts.add(name)
    if (name === '*') partsOfAll.add(part)
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    const text = "if '*/*' is present, must not specify other resources"
    faults.push(invalidValue(path, resources, text))
  }
  const whole = resources.filter((resource) => resource !== '' && !resource.includes('/'))
  if (whole.length > 1 && whole.includes('*')) {
    const text = "if '*' is present, must not specify other resources without subresources"
    faults.push(invalidValue(path, resources, text))
  }
  return faults
}
