import { hasOrAll, type PolicyRule, pathCovers } from './policy-rule.ts'

/**
 * What of `wanted` is not covered by `held`, one group, resource and verb at a time. Empty: nobody gains anything by being
 * given `wanted`.
 */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((single) => !held.some((rule) => covers(rule, single)))
}

/** Rules in the words of Kubernetes' refusals, verbs of the same resource together, sorted. */
export function describeRules(rules: readonly PolicyRule[]): string[] {
  return [...new Set(compact(rules).map(describe))].sort()
}

/** One rule per combination of group, resource, name and verb, and per path and verb. */
function breakDown(rule: PolicyRule): PolicyRule[] {
  const none: readonly string[] = []
  const names = rule.resourceNames.length > 0 ? rule.resourceNames.map((name) => [name]) : [none]
  const singles: PolicyRule[] = []
  for (const group of rule.apiGroups)
    for (const resource of rule.resources)
      for (const verb of rule.verbs)
        for (const resourceNames of names)
          singles.push({
            apiGroups: [group],
            resources: [resource],
            resourceNames,
            nonResourceURLs: none,
            verbs: [verb],
          })
  for (const url of rule.nonResourceURLs)
    for (const verb of rule.verbs)
      singles.push({
        apiGroups: none,
        resources: none,
        resourceNames: none,
        nonResourceURLs: [url],
        verbs: [verb],
      })
  return singles
}

function covers(owner: PolicyRule, single: PolicyRule): boolean {
  return (
    single.verbs.every((verb) => hasOrAll(owner.verbs, verb)) &&
    single.apiGroups.every((group) => hasOrAll(owner.apiGroups, group)) &&
    single.resources.every((resource) => coversResource(owner.resources, resource)) &&
    single.nonResourceURLs.every((url) => owner.nonResourceURLs.some((held) => pathCovers(held, url))) &&
    coversNames(owner.resourceNames, single.resourceNames)
  )
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (hasOrAll(held, resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && held.includes(`*${resource.slice(slash)}`)
}

function coversNames(held: readonly string[], wanted: readonly string[]): boolean {
  if (held.length === 0) return true
  return wanted.length > 0 && wanted.every((name) => held.includes(name))
}

function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const compacted: PolicyRule[] = []
  const verbsOf = new Map<string, string[]>()
  for (const rule of rules) {
    if (!isSimple(rule)) {
      compacted.push(rule)
      continue
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames])
    const verbs = verbsOf.get(key)
    if (verbs) {
      verbs.push(...rule.verbs.filter((verb) => !verbs.includes(verb)))
    } else {
      const own = [...rule.verbs]
      verbsOf.set(key, own)
      compacted.push({ ...rule, verbs: own })
    }
  }
  return compacted
}

function isSimple(rule: PolicyRule): boolean {
  return (
    rule.apiGroups.length === 1 &&
    rule.resources.length === 1 &&
    rule.resourceNames.length <= 1 &&
    rule.nonResourceURLs.length === 0
  )
}

function describe(rule: PolicyRule): string {
  const parts: [string, readonly string[]][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const shown = parts.filter(([, list]) => list.length > 0).map(([name, list]) => `${name}:${quoted(list)}`)
  return `{${shown.join(', ')}}`
}

/** A list as Go prints it with `%q`. */
export function quoted(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(' ')}]`
}
