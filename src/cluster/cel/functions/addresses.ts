import { addressText, readAddress, readNetwork } from '../../../kube/index.ts'
import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, int, opaque, string } from '../types.ts'
import { Opaque } from '../values.ts'

/** An IP address as a number of its family. */
class AddressValue extends Opaque {
  readonly kind = 'net.IP'
  readonly family: 4 | 6
  readonly bits: bigint
  constructor(family: 4 | 6, bits: bigint) {
    super()
    this.family = family
    this.bits = bits
  }
  equals(other: Opaque): boolean {
    return other instanceof AddressValue && other.family === this.family && other.bits === this.bits
  }
}

/** A range of addresses. */
class NetworkValue extends Opaque {
  readonly kind = 'net.CIDR'
  readonly address: AddressValue
  readonly length: number
  constructor(address: AddressValue, length: number) {
    super()
    this.address = address
    this.length = length
  }
  get masked(): AddressValue {
    const { family, bits } = this.address
    const rest = BigInt((family === 4 ? 32 : 128) - this.length)
    return new AddressValue(family, (bits >> rest) << rest)
  }
  includes(address: AddressValue): boolean {
    if (address.family !== this.address.family) return false
    return new NetworkValue(address, this.length).masked.bits === this.masked.bits
  }
  equals(other: Opaque): boolean {
    return other instanceof NetworkValue && other.length === this.length && other.address.equals(this.address)
  }
}

const ipKind = 'net.IP'
const cidrKind = 'net.CIDR'
const [ip, cidr] = [opaque(ipKind), opaque(cidrKind)]

function address(text: string): AddressValue {
  const read = readAddress(text)
  if (read === undefined)
    throw new CelEvaluationError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string`,
    )
  return new AddressValue(read.family, read.bits)
}

function network(text: string): NetworkValue {
  const read = readNetwork(text)
  if (read === undefined)
    throw new CelEvaluationError(`CIDR ${JSON.stringify(text)} parse error during conversion from string`)
  return new NetworkValue(new AddressValue(read.address.family, read.address.bits), read.length)
}

/** Top bits of an address of this family. */
function startsWith(value: AddressValue, family: 4 | 6, prefix: bigint, length: number): boolean {
  return value.family === family && value.bits >> BigInt((family === 4 ? 32 : 128) - length) === prefix
}

const isOfIp = (name: string, test: (value: AddressValue) => boolean): CelFunction =>
  method(
    name,
    overload<[AddressValue]>([ipKind], bool, ([value]) => test(value)),
  )

/** Kubernetes' IP and CIDR libraries. */
export const addresses: readonly CelFunction[] = [
  global(
    'ip',
    overload<[string]>(['string'], ip, ([text]) => address(text)),
  ),
  global(
    'isIP',
    overload<[string]>(['string'], bool, ([text]) => readAddress(text) !== undefined),
  ),
  global(
    'ip.isCanonical',
    overload<[string]>(['string'], bool, ([text]) => addressText(address(text)) === text),
  ),
  method(
    'family',
    overload<[AddressValue]>([ipKind], int, ([value]) => BigInt(value.family)),
  ),
  isOfIp('isUnspecified', (value) => value.bits === 0n),
  isOfIp('isLoopback', (value) => startsWith(value, 4, 127n, 8) || (value.family === 6 && value.bits === 1n)),
  isOfIp('isLinkLocalMulticast', (value) => startsWith(value, 4, 0xe00000n, 24) || isMulticast6(value, 2n)),
  isOfIp(
    'isLinkLocalUnicast',
    (value) => startsWith(value, 4, 0xa9fen, 16) || startsWith(value, 6, 0x3fan, 10),
  ),
  isOfIp('isGlobalUnicast', isGlobalUnicast),
  global(
    'cidr',
    overload<[string]>(['string'], cidr, ([text]) => network(text)),
  ),
  global(
    'isCIDR',
    overload<[string]>(['string'], bool, ([text]) => readNetwork(text) !== undefined),
  ),
  method(
    'containsIP',
    overload<[NetworkValue, string]>([cidrKind, 'string'], bool, ([range, text]) =>
      range.includes(address(text)),
    ),
    overload<[NetworkValue, AddressValue]>([cidrKind, ipKind], bool, ([range, value]) =>
      range.includes(value),
    ),
  ),
  method(
    'containsCIDR',
    overload<[NetworkValue, string]>([cidrKind, 'string'], bool, ([range, text]) =>
      containsRange(range, network(text)),
    ),
    overload<[NetworkValue, NetworkValue]>([cidrKind, cidrKind], bool, ([range, other]) =>
      containsRange(range, other),
    ),
  ),
  method(
    'ip',
    overload<[NetworkValue]>([cidrKind], ip, ([range]) => range.address),
  ),
  method(
    'masked',
    overload<[NetworkValue]>([cidrKind], cidr, ([range]) => new NetworkValue(range.masked, range.length)),
  ),
  method(
    'prefixLength',
    overload<[NetworkValue]>([cidrKind], int, ([range]) => BigInt(range.length)),
  ),
  global(
    'string',
    overload<[AddressValue]>([ipKind], string, ([value]) => addressText(value)),
    overload<[NetworkValue]>(
      [cidrKind],
      string,
      ([range]) => `${addressText(range.address)}/${range.length}`,
    ),
  ),
]

function containsRange(outer: NetworkValue, inner: NetworkValue): boolean {
  return inner.length >= outer.length && outer.includes(inner.address)
}

function isMulticast6(value: AddressValue, scope: bigint): boolean {
  return startsWith(value, 6, 0xffn, 8) && ((value.bits >> 112n) & 0xfn) === scope
}

function isGlobalUnicast(value: AddressValue): boolean {
  const isMulticast = startsWith(value, 4, 14n, 4) || startsWith(value, 6, 0xffn, 8)
  const isBroadcast = value.family === 4 && value.bits === 0xffffffffn
  const isLoopback = startsWith(value, 4, 127n, 8) || (value.family === 6 && value.bits === 1n)
  const isLinkLocal = startsWith(value, 4, 0xa9fen, 16) || startsWith(value, 6, 0x3fan, 10)
  return value.bits !== 0n && !isMulticast && !isBroadcast && !isLoopback && !isLinkLocal
}
