/**
 * Kubernetes quantities, exactly: `500m`, `1Gi`, `1e3`
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
 */

type Format = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** An exact amount: `nanos` / 10^9, and the family of suffixes in which it was written. */
export interface Quantity {
  readonly nanos: bigint
  readonly format: Format
}

/** A text that is no quantity. The message is the one Kubernetes gives. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

const pattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
const formatWrong = `quantities must match the regular expression '${pattern}'`
const numericWrong = 'unable to parse numeric part of quantity'
const suffixWrong = "unable to parse quantity's suffix"

const binaryPower: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const decimalPower: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const decimalSuffix: Readonly<Record<number, string>> = {
  [-9]: 'n',
  [-6]: 'u',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T',
  15: 'P',
  18: 'E',
}
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const one = 1_000_000_000n
const largest = (2n ** 63n - 1n) * one
const zero: Quantity = { nanos: 0n, format: 'DecimalSI' }

// Exponents beyond this make numbers that no cluster has and that would only burn time as big integers.
const largestExponent = 100

/**
 * Reads a quantity as Kubernetes does: nothing finer than a billionth (rounded up), binary amounts up to 2^63-1.
 *
 * @throws {QuantityError} with Kubernetes' own words.
 */
export function parseQuantity(text: string | number): Quantity {
  const value = String(text)
  const match = /^([+-]?)([0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(value)
  if (match === null) throw new QuantityError(formatWrong)
  const [, sign = '', number = '', suffix = ''] = match
  if (!/^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(number)) {
    throw new QuantityError(number.includes('.') && number.split('.').length > 2 ? formatWrong : numericWrong)
  }
  const [whole = '', fraction = ''] = number.split('.')
  const digits = BigInt(whole + fraction)
  const { format, scale, multiplier } = readSuffix(suffix)
  // digits * multiplier * 10^(scale - fraction digits), in billionths.
  let nanos = scaledUp(digits * multiplier, scale - fraction.length + 9)
  if (format === 'BinarySI' && nanos > largest) nanos = largest
  if (sign === '-') nanos = -nanos
  return { nanos, format: format === 'BinarySI' && nanos > 0n && nanos < one ? 'DecimalSI' : format }
}

function readSuffix(suffix: string): { format: Format; scale: number; multiplier: bigint } {
  const binary = binaryPower[suffix]
  if (binary !== undefined) return { format: 'BinarySI', scale: 0, multiplier: 2n ** binary }
  const decimal = decimalPower[suffix]
  if (decimal !== undefined) return { format: 'DecimalSI', scale: decimal, multiplier: 1n }
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1]
  if (exponent === undefined || Math.abs(Number(exponent)) > largestExponent) {
    throw new QuantityError(suffixWrong)
  }
  return { format: 'DecimalExponent', scale: Number(exponent), multiplier: 1n }
}

/** `value * 10^power`, rounded away from zero when that is no whole number. */
function scaledUp(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  const quotient = value / divisor
  if (value % divisor === 0n) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

/** The canonical text: no fraction, the largest suffix that loses nothing. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity
  if (nanos === 0n) return '0'
  const isWhole = nanos % one === 0n
  const isSmall = nanos > -1024n * one && nanos < 1024n * one
  if (format === 'BinarySI' && isWhole && !isSmall) {
    let value = nanos / one
    let power = 0
    while (value % 1024n === 0n && power < binarySuffixes.length - 1) {
      value /= 1024n
      power += 1
    }
    return `${value}${binarySuffixes[power] ?? ''}`
  }
  let value = nanos
  let exponent = -9
  while (value % 1000n === 0n) {
    value /= 1000n
    exponent += 3
  }
  const suffix = format === 'DecimalExponent' ? undefined : decimalSuffix[exponent]
  return `${value}${suffix ?? (exponent === 0 ? '' : `e${exponent}`)}`
}

/** The text in canonical form, as the server stores it. */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text))
}

/** Negative, zero or positive, as `a` is smaller than, equal to or larger than `b`. */
export function compareQuantities(a: string | Quantity, b: string | Quantity): number {
  const difference = read(a).nanos - read(b).nanos
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

/** `a + b`, in the format of `a` unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format }
}

/** `a - b`, in the format of `a` unless that is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format }
}

/** `quantity`, so many times. */
export function multiplyQuantity(quantity: Quantity, count: number): Quantity {
  return { nanos: quantity.nanos * BigInt(count), format: quantity.format }
}

/** The sum of texts. */
export function sumQuantities(texts: Iterable<string>): Quantity {
  let sum = zero
  for (const text of texts) sum = addQuantities(sum, parseQuantity(text))
  return sum
}

/** As a plain number, for shares and displays. Loses precision beyond 2^53. */
export function quantityToNumber(quantity: string | number | Quantity): number {
  const { nanos } = typeof quantity === 'object' ? quantity : parseQuantity(quantity)
  return nanos % one === 0n ? Number(nanos / one) : Number(nanos) / 1e9
}

/** In thousandths, rounded up, as CPU is counted. */
export function quantityToMilli(quantity: string | Quantity): number {
  return Number(scaledUp(read(quantity).nanos, -6))
}

/** In whole units, rounded up, as bytes and devices are counted. */
export function quantityToUnits(quantity: string | Quantity): number {
  return Number(scaledUp(read(quantity).nanos, -9))
}

/** A whole number as a quantity. */
export function quantityOf(units: number | bigint, format: Format = 'DecimalSI'): Quantity {
  return { nanos: BigInt(units) * one, format }
}

function read(quantity: string | Quantity): Quantity {
  return typeof quantity === 'string' ? parseQuantity(quantity) : quantity
}
