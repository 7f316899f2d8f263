import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, int, opaque } from '../types.ts'
import { Opaque } from '../values.ts'

/** A semantic version (https://semver.org/). */
class SemverValue extends Opaque {
  readonly kind = 'kubernetes.Semver'
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly string[]
  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super()
    this.numbers = numbers
    this.prerelease = prerelease
  }
  equals(other: Opaque): boolean {
    return other instanceof SemverValue && compare(this, other) === 0
  }
}

const kind = 'kubernetes.Semver'
const type = opaque(kind)
type One = [SemverValue]
type Two = [SemverValue, SemverValue]
const strict =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

function read(text: string, isLoose: boolean): SemverValue | undefined {
  if (text.length > 256) return undefined
  const match = strict.exec(isLoose ? normalized(text) : text)
  if (match === null) return undefined
  const [, major = '0', minor = '0', patch = '0', prerelease] = match
  const parts = prerelease?.split('.') ?? []
  if (parts.some((part) => /^0\d+$/.test(part))) return undefined
  return new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], parts)
}

/** `v1.2` as `1.2.0`: a leading v, missing parts and leading zeros are forgiven. */
function normalized(text: string): string {
  const [core = '', ...rest] = text.replace(/^v/, '').split(/(?=[-+])/)
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest.join('')
}

function compare(a: SemverValue, b: SemverValue): number {
  for (const at of [0, 1, 2] as const) {
    if (a.numbers[at] !== b.numbers[at]) return a.numbers[at] < b.numbers[at] ? -1 : 1
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length
  for (let at = 0; at < Math.max(a.prerelease.length, b.prerelease.length); at++) {
    const [left, right] = [a.prerelease[at], b.prerelease[at]]
    if (left === right) continue
    if (left === undefined) return -1
    if (right === undefined) return 1
    const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1
    if (leftIsNumber && BigInt(left) !== BigInt(right)) return BigInt(left) < BigInt(right) ? -1 : 1
    return left < right ? -1 : 1
  }
  return 0
}

function required(text: string, isLoose: boolean): SemverValue {
  const version = read(text, isLoose)
  if (version === undefined) throw new CelEvaluationError(`invalid semantic version: ${text}`)
  return version
}

/** Kubernetes' semver library. */
export const semvers: readonly CelFunction[] = [
  global(
    'semver',
    overload<[string]>(['string'], type, ([text]) => required(text, false)),
    overload<[string, boolean]>(['string', 'bool'], type, ([text, isLoose]) => required(text, isLoose)),
  ),
  global(
    'isSemver',
    overload<[string]>(['string'], bool, ([text]) => read(text, false) !== undefined),
    overload<[string, boolean]>(
      ['string', 'bool'],
      bool,
      ([text, isLoose]) => read(text, isLoose) !== undefined,
    ),
  ),
  ...(['major', 'minor', 'patch'] as const).map((name, at) =>
    method(
      name,
      overload<One>([kind], int, ([value]) => value.numbers[at] ?? 0n),
    ),
  ),
]

/** See `quantityOrder`. */
export const semverOrder = {
  isGreaterThan: overload<Two>([kind, kind], bool, ([a, b]) => compare(a, b) > 0),
  isLessThan: overload<Two>([kind, kind], bool, ([a, b]) => compare(a, b) < 0),
  compareTo: overload<Two>([kind, kind], int, ([a, b]) => BigInt(Math.sign(compare(a, b)))),
} as const
