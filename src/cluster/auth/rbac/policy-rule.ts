import type { KubeObject } from '../../../kube/index.ts'
import { isResourceAttributes, type Attributes } from '../authorizer.ts'

/** `rbac.authorization.k8s.io/v1 PolicyRule`, every list present. */
export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
  readonly verbs: readonly string[]
}

const noText: readonly string[] = []
const parsed = new WeakMap<KubeObject, readonly PolicyRule[]>()

/** The rules of a stored Role or ClusterRole; read once per object, since stored objects never change. */
export function rulesOf(role: KubeObject): readonly PolicyRule[] {
  let rules = parsed.get(role)
  if (!rules) {
    rules = parseRules(role.rules)
    parsed.set(role, rules)
  }
  return rules
}

/** Rules as the wire has them: absent lists are empty, what is no list of texts is left out. */
export function parseRules(value: unknown): PolicyRule[] {
  if (!Array.isArray(value)) return []
  return value.filter(isRecord).map((rule) => ({
    apiGroups: textsOf(rule.apiGroups),
    resources: textsOf(rule.resources),
    resourceNames: textsOf(rule.resourceNames),
    nonResourceURLs: textsOf(rule.nonResourceURLs),
    verbs: textsOf(rule.verbs),
  }))
}

/** Does the rule allow the request? */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false
  if (!isResourceAttributes(attributes)) return pathMatches(rule.nonResourceURLs, attributes.path)
  return (
    hasOrAll(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes.resource, attributes.subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(attributes.name ?? ''))
  )
}

function resourceMatches(
  resources: readonly string[],
  resource: string,
  subresource: string | undefined,
): boolean {
  const asked = subresource ? `${resource}/${subresource}` : resource
  for (const allowed of resources) {
    if (allowed === '*' || allowed === asked) return true
    // `*/scale` stands for that subresource of everything; `pods/*` stands for nothing.
    if (subresource && allowed.startsWith('*/') && allowed.slice(2) === subresource) return true
  }
  return false
}

function pathMatches(allowed: readonly string[], path: string): boolean {
  return allowed.some((pattern) => pathCovers(pattern, path))
}

/** `/healthz/*` covers everything that begins with `/healthz/`. */
export function pathCovers(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''))
}

export function hasOrAll(allowed: readonly string[], asked: string): boolean {
  return allowed.includes('*') || allowed.includes(asked)
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : noText
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
