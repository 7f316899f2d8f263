import { type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { dnsSubdomain } from '../../validation/names.ts'
import { fullNameFaults, labelFaults } from './device-names.ts'
import { listFaults, setFaults } from './lists.ts'
import { configurationFaults, most, selectorFaults, tolerationFaults } from './selectors.ts'
import type { ClaimSpec, Constraint, Request, Wish } from './types.ts'

const mostAlternatives = 8

/** Fills in what requests leave out. */
export function setClaimDefaults({ devices }: ClaimSpec): void {
  for (const { exactly, firstAvailable = [] } of devices?.requests ?? []) {
    for (const wish of exactly ? [exactly, ...firstAvailable] : firstAvailable) {
      wish.allocationMode ||= 'ExactCount'
      if (wish.allocationMode === 'ExactCount') wish.count ||= 1
      for (const toleration of wish.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

/** Names of the requests of a claim, each with the names of its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export function requestNamesOf({ devices }: ClaimSpec): RequestNames {
  const requests = devices?.requests ?? []
  return new Map(
    requests.map(({ name, firstAvailable = [] }) => [name, new Set(firstAvailable.map((one) => one.name))]),
  )
}

export function claimFaults(path: string, spec: ClaimSpec): Fault[] {
  const { requests = [], constraints = [], config = [] } = spec.devices ?? {}
  const names = requestNamesOf(spec)
  const at = `${path}.devices`
  return [
    ...setFaults(`${at}.requests`, requests, most.items, { look: requestFaults, key: ({ name }) => name }),
    ...listFaults(`${at}.constraints`, constraints, most.items, (one, where) =>
      constraintFaults(where, one, names),
    ),
    ...listFaults(`${at}.config`, config, most.items, (one, where) => [
      ...referenceFaults(`${where}.requests`, one.requests, names),
      ...configurationFaults(where, one),
    ]),
  ]
}

function requestFaults(request: Request, path: string): Fault[] {
  const { name, exactly, firstAvailable = [] } = request
  const faults = labelFaults(`${path}.name`, name)
  const one = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && firstAvailable.length > 0) {
    return [...faults, invalidValue(path, null, `${one}, but multiple fields are set`)]
  }
  if (exactly) return [...faults, ...wishFaults(exactly, `${path}.exactly`)]
  if (firstAvailable.length === 0) return [...faults, required(path, one)]
  return [
    ...faults,
    ...setFaults(`${path}.firstAvailable`, firstAvailable, mostAlternatives, {
      look: (wish, at) => [...labelFaults(`${at}.name`, wish.name), ...wishFaults(wish, at)],
      key: (wish) => wish.name,
    }),
  ]
}

function wishFaults(wish: Wish, path: string): Fault[] {
  const { deviceClassName: name, allocationMode: mode = '', count = 0, tolerations = [] } = wish
  const at = `${path}.deviceClassName`
  const faults = name ? checked(at, name, dnsSubdomain) : [required(at)]
  faults.push(...selectorFaults(`${path}.selectors`, wish.selectors))
  if (mode === 'All') {
    const text = "must not be specified when allocationMode is 'All'"
    if (count !== 0) faults.push(invalidValue(`${path}.count`, count, text))
  } else if (mode === 'ExactCount') {
    if (count <= 0) faults.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  } else faults.push(notSupported(`${path}.allocationMode`, mode, ['All', 'ExactCount']))
  return [
    ...faults,
    ...tolerations.flatMap((one, index) => tolerationFaults(`${path}.tolerations[${index}]`, one)),
  ]
}

function constraintFaults(path: string, constraint: Constraint, names: RequestNames): Fault[] {
  const { requests, matchAttribute, distinctAttribute } = constraint
  const faults = referenceFaults(`${path}.requests`, requests, names)
  if (matchAttribute !== undefined) {
    return [...faults, ...fullNameFaults(`${path}.matchAttribute`, matchAttribute)]
  }
  return distinctAttribute === undefined
    ? [...faults, required(`${path}.matchAttribute`)]
    : [...faults, ...fullNameFaults(`${path}.distinctAttribute`, distinctAttribute)]
}

function referenceFaults(path: string, requests: readonly string[] = [], names: RequestNames): Fault[] {
  return setFaults(path, requests, most.items, {
    look: (name, at) => requestReferenceFaults(at, name, names),
    key: (name) => name,
  })
}

/** A request of the claim, or behind a slash one of its alternatives. */
export function requestReferenceFaults(path: string, name: string, names: RequestNames): Fault[] {
  const text =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  const parts = name.split('/')
  const [request = '', alternative] = parts
  const wrong = parts.length > 2 ? [] : parts.flatMap((part) => labelFaults(path, part))
  const found = names.get(request)
  const isKnown =
    parts.length < 3 && found !== undefined && (alternative === undefined || found.has(alternative))
  return isKnown ? wrong : [...wrong, invalidValue(path, name, text)]
}
