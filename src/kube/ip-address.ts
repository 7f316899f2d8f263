import { isIP } from 'node:net'

/** An IP address as a number of its family. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** A range of addresses: all that share the first `length` bits. */
export interface IpNetwork {
  readonly address: IpAddress
  readonly length: number
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** Reads an address; undefined for what is none. Zones and IPv4 within IPv6 are no addresses to Kubernetes. */
export function readAddress(text: string): IpAddress | undefined {
  if (text.includes('%')) return undefined
  switch (isIP(text)) {
    case 4:
      return { family: 4, bits: text.split('.').reduce((bits, part) => bits * 256n + BigInt(part), 0n) }
    case 6:
      return text.includes('.') ? undefined : { family: 6, bits: bitsOf6(text) }
    default:
      return undefined
  }
}

function bitsOf6(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  return groups.reduce((bits, group) => bits * 65536n + BigInt(`0x${group}`), 0n)
}

/** Reads a range in CIDR notation; undefined for what is none. */
export function readNetwork(text: string): IpNetwork | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  if (match === null) return undefined
  const address = readAddress(match[1] ?? '')
  const length = Number(match[2])
  if (address === undefined || length > widthOf(address.family)) return undefined
  return { address, length }
}

/** The address in its canonical form. */
export function addressText({ family, bits }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - at * 16)) & 65535n).toString(16))
  // RFC 5952: the longest run of zero groups, the first of equals, is left out.
  let [start, longest] = [-1, 1]
  for (let at = 0; at < 8; at++) {
    let run = 0
    while (groups[at + run] === '0') run++
    if (run > longest) [start, longest] = [at, run]
  }
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`
}

/** The first address of a range, which names it, and the last. */
export function boundsOf({ address, length }: IpNetwork): {
  readonly first: IpAddress
  readonly last: IpAddress
} {
  const { family, bits } = address
  const rest = BigInt(widthOf(family) - length)
  const first = (bits >> rest) << rest
  return { first: { family, bits: first }, last: { family, bits: first + (1n << rest) - 1n } }
}

/** Whether a range has an address in it. */
export function isWithin(address: IpAddress, network: IpNetwork): boolean {
  const { first, last } = boundsOf(network)
  return address.family === first.family && address.bits >= first.bits && address.bits <= last.bits
}
