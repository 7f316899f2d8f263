import {
  boundsOf,
  isWithin,
  type KubeObject,
  networksOf,
  readAddress,
  type ServiceCIDR,
} from '../../../../kube/index.ts'

/** Objects of other kinds that decide which addresses services may have. */
export interface AddressSpace {
  /** All ServiceCIDRs. */
  ranges(): Iterable<KubeObject>
  /** All IPAddresses. */
  addresses(): Iterable<KubeObject>
}

/** Whose addresses are those of services, and not kept by anybody else. */
export const allocatorLabel = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } as const

/** The range that every cluster has. Nothing answers there, addresses only have to be different. */
export const usualRange = { name: 'kubernetes', text: '10.96.0.0/12' } as const

export const noSpace: AddressSpace = { ranges: () => [], addresses: () => [] }

/** IPv4 addresses as numbers, without the two that name the network and all of it. */
export interface Range {
  readonly text: string
  readonly first: number
  readonly last: number
  /** From here on addresses are given to services that do not choose theirs. */
  readonly usual: number
}

/** The ranges from which services get addresses now, that of every cluster first. */
export function rangesOf(space: AddressSpace): Range[] {
  const texts = new Set<string>()
  let hasUsual = false
  for (const object of space.ranges()) {
    const range = object as ServiceCIDR
    const isUsual = object.metadata.name === usualRange.name
    hasUsual ||= isUsual
    const isReady = range.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'False'
    if (!isReady || object.metadata.deletionTimestamp !== undefined) continue
    for (const text of range.spec?.cidrs ?? []) texts.add(text)
  }
  // The server itself needs an address before there is any object.
  const isFirst = texts.delete(usualRange.text) || !hasUsual
  return [...(isFirst ? [usualRange.text] : []), ...texts].flatMap((text) => rangeOf(text) ?? [])
}

function rangeOf(text: string): Range | undefined {
  const [network] = networksOf({ spec: { cidrs: [text] } })
  if (network?.address.family !== 4) return undefined
  const { first, last } = boundsOf(network)
  const [start, end] = [Number(first.bits) + 1, Number(last.bits) - 1]
  const chosen = Math.min(Math.max(16, Math.floor((end - start + 1) / 16)), 256)
  // Small ranges have no part for those who choose.
  const usual = end - start > chosen ? start + chosen : start
  return { text, first: start, last: end, usual }
}

/** Why a service may not have an address that it asks for; undefined when it may. */
export function refusal(text: string, ranges: readonly Range[]): string | undefined {
  const address = readAddress(text)
  if (address?.family !== 4) return undefined
  const bits = Number(address.bits)
  if (ranges.some(({ first, last }) => bits >= first && bits <= last)) return undefined
  const around = ranges.find((range) =>
    networksOf({ spec: { cidrs: [range.text] } }).some((network) => isWithin(address, network)),
  )
  return around
    ? `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${around.text}`
    : 'the provided network does not match the current range'
}
