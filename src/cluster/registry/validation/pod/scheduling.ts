import type {
  Affinity,
  NodeAffinity,
  PodAffinity,
  PodAffinityTerm,
  PodSchedulingGate,
  Toleration,
  TopologySpreadConstraint,
} from 'kubernetes-types/core/v1.js'
import type { LabelSelector } from 'kubernetes-types/meta/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, optionalChoice, validateLabelSelector } from '../checks.ts'
import { dnsLabel, labelText, qualifiedName } from '../names.ts'
import { validateNodeSelector, validateNodeSelectorTerm } from '../node-selectors.ts'

export function validateAffinity(path: string, affinity: Affinity | undefined): Fault[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {}
  return [
    ...(nodeAffinity ? nodeAffinityFaults(`${path}.nodeAffinity`, nodeAffinity) : []),
    ...(podAffinity ? podAffinityFaults(`${path}.podAffinity`, podAffinity) : []),
    ...(podAntiAffinity ? podAffinityFaults(`${path}.podAntiAffinity`, podAntiAffinity) : []),
  ]
}

const needed = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'

function nodeAffinityFaults(path: string, affinity: NodeAffinity): Fault[] {
  const selector = affinity[needed]
  const faults = selector ? validateNodeSelector(`${path}.${needed}`, selector) : []
  for (const [index, { weight, preference }] of (affinity[preferred] ?? []).entries()) {
    const at = `${path}.${preferred}[${index}]`
    faults.push(...weightFaults(at, weight))
    faults.push(...validateNodeSelectorTerm(`${at}.preference`, preference ?? {}, 'lenient'))
  }
  return faults
}

function podAffinityFaults(path: string, affinity: PodAffinity): Fault[] {
  return [
    ...(affinity[needed] ?? []).flatMap((term, index) => podTermFaults(`${path}.${needed}[${index}]`, term)),
    ...(affinity[preferred] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${preferred}[${index}]`
      return [
        ...weightFaults(at, weight),
        ...podTermFaults(`${at}.podAffinityTerm`, podAffinityTerm ?? { topologyKey: '' }),
      ]
    }),
  ]
}

function weightFaults(path: string, weight: number | undefined): Fault[] {
  const value = weight ?? 0
  return value >= 1 && value <= 100
    ? []
    : [invalidValue(`${path}.weight`, value, 'must be in the range 1-100')]
}

function podTermFaults(path: string, term: PodAffinityTerm): Fault[] {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [], topologyKey = '' } = term
  const faults = [
    ...validateLabelSelector(`${path}.labelSelector`, labelSelector),
    ...validateLabelSelector(`${path}.namespaceSelector`, term.namespaceSelector),
    ...(term.namespaces ?? []).flatMap((name) => checked(`${path}.namespace`, name, dnsLabel)),
    ...keyFaults(`${path}.matchLabelKeys`, matchLabelKeys, labelSelector),
    ...keyFaults(`${path}.mismatchLabelKeys`, mismatchLabelKeys, labelSelector),
  ]
  faults.push(...repeatedKeyFaults(path, matchLabelKeys, labelSelector))
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue
    const at = `${path}.matchLabelKeys[${index}]`
    faults.push(invalidValue(at, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  }
  if (!topologyKey) faults.push(required(`${path}.topologyKey`, 'can not be empty'))
  return [...faults, ...checked(`${path}.topologyKey`, topologyKey, qualifiedName)]
}

function keyFaults(path: string, keys: readonly string[], selector: object | undefined): Fault[] {
  if (keys.length === 0) return []
  if (!selector) return [forbiddenField(path, 'must not be specified when labelSelector is not set')]
  return keys.flatMap((key, index) => checked(`${path}[${index}]`, key, qualifiedName))
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(path: string, tolerations: readonly Toleration[]): Fault[] {
  return tolerations.flatMap((toleration, index) => {
    const at = `${path}[${index}]`
    const { key, operator = '', value = '', effect = '', tolerationSeconds } = toleration
    const faults = key ? checked(`${at}.key`, key, qualifiedName) : []
    if (!key && operator !== 'Exists') {
      faults.push(
        invalidValue(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      )
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      faults.push(
        invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"),
      )
    }
    if (operator === '' || operator === 'Equal') {
      const wrong = labelText(value)
      if (wrong.length > 0) faults.push(invalidValue(`${at}.operator`, value, wrong.join(';')))
    } else if (operator === 'Exists') {
      if (value) {
        faults.push(invalidValue(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
      }
    } else faults.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    return effect ? [...faults, ...optionalChoice(`${at}.effect`, effect, effects)] : faults
  })
}

export function validateSchedulingGates(path: string, gates: readonly PodSchedulingGate[]): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, { name = '' }] of gates.entries()) {
    const at = `${path}[${index}]`
    faults.push(...checked(at, name, qualifiedName))
    if (seen.has(name)) faults.push(duplicate(at, name))
    seen.add(name)
  }
  return faults
}

const actions = ['DoNotSchedule', 'ScheduleAnyway']
const inclusions = ['Honor', 'Ignore']
const notPositive = 'must be greater than zero'

export function validateTopologySpread(
  path: string,
  constraints: readonly TopologySpreadConstraint[],
): Fault[] {
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '' } = constraint
    const faults: Fault[] = []
    if (maxSkew <= 0) faults.push(invalidValue(`${at}.maxSkew`, maxSkew, notPositive))
    if (!topologyKey) faults.push(required(`${at}.topologyKey`, 'can not be empty'))
    faults.push(...optionalChoice(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions))
    const isRepeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated) {
      faults.push(
        duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`),
      )
    }
    return [
      ...faults,
      ...domainFaults(`${at}.minDomains`, constraint),
      ...optionalChoice(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, inclusions),
      ...optionalChoice(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, inclusions),
      ...spreadKeyFaults(at, constraint),
      ...validateLabelSelector(`${at}.labelSelector`, constraint.labelSelector),
    ]
  })
}

function domainFaults(path: string, { minDomains, whenUnsatisfiable }: TopologySpreadConstraint): Fault[] {
  if (minDomains === undefined) return []
  const faults = minDomains <= 0 ? [invalidValue(path, minDomains, notPositive)] : []
  if (whenUnsatisfiable !== 'DoNotSchedule') {
    faults.push(
      invalidValue(
        path,
        minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
      ),
    )
  }
  return faults
}

function spreadKeyFaults(
  path: string,
  { matchLabelKeys = [], labelSelector }: TopologySpreadConstraint,
): Fault[] {
  return [
    ...keyFaults(`${path}.matchLabelKeys`, matchLabelKeys, labelSelector),
    ...repeatedKeyFaults(path, matchLabelKeys, labelSelector),
  ]
}

/** The selector of a pod already holds what its keys mean; whatever else it says of such a key is one time too many. */
function repeatedKeyFaults(
  path: string,
  keys: readonly string[],
  selector: LabelSelector | undefined,
): Fault[] {
  const faults: Fault[] = []
  const known = new Set(Object.keys(selector?.matchLabels ?? {}))
  for (const { key } of selector?.matchExpressions ?? []) {
    const index = keys.indexOf(key)
    if (index >= 0 && known.has(key)) {
      faults.push(invalidValue(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
    known.add(key)
  }
  return faults
}
