import { assert, constantFrom, integer, property, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityToMilli,
  quantityToUnits,
  subtractQuantities,
  sumQuantities,
} from '../../src/kube/index.ts'

describe('quantities', () => {
  it.each([
    ['0', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['512', '512'],
    ['1000', '1k'],
    ['1100', '1100'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['0.1Ki', '102400m'],
    ['1Ki', '1Ki'],
    ['1023Ki', '1023Ki'],
    ['500Ki', '500Ki'],
    ['0.0000000001', '1n'],
    ['-1.5', '-1500m'],
    ['+5', '5'],
    ['.5', '500m'],
    ['5.', '5'],
    ['100000000000Ei', '9223372036854775807'],
    ['1024', '1024'],
    ['1000Ei', '9223372036854775807'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical)
  })

  it.each(['', 'abc', '1x', '1 Gi', '1.2.3', 'NaN'])('refuses %j as no quantity', (text) => {
    expect(() => parseQuantity(text)).toThrow(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  })

  it.each(['1e', '1Kib', '1KK', '1ei', '1e999999999999'])('refuses the suffix of %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(QuantityError)
  })

  it('keeps the format of the first summand that is not zero', () => {
    expect(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Gi')))).toBe('1Gi')
    expect(formatQuantity(addQuantities(parseQuantity('1G'), parseQuantity('24Mi')))).toBe('1025165824')
    expect(formatQuantity(sumQuantities(['100m', '1', '900m']))).toBe('2')
  })

  it('rounds up to whole units and thousandths, away from zero', () => {
    expect(quantityToUnits('1001m')).toBe(2)
    expect(quantityToUnits('-1001m')).toBe(-2)
    expect(quantityToMilli('1u')).toBe(1)
  })

  it('compares across formats exactly', () => {
    expect(compareQuantities('1Gi', '1073741824')).toBe(0)
    expect(compareQuantities('1G', '1Gi')).toBe(-1)
    expect(compareQuantities('9007199254740993', '9007199254740992')).toBe(1)
  })

  it('reads back what it wrote, and adding and subtracting cancel out', () => {
    const suffix = constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'n', 'u')
    const text = tuple(integer({ min: -1_000_000, max: 1_000_000 }), suffix).map(([n, unit]) => `${n}${unit}`)
    assert(
      property(text, text, (a, b) => {
        const [left, right] = [parseQuantity(a), parseQuantity(b)]
        expect(parseQuantity(formatQuantity(left)).nanos).toBe(left.nanos)
        expect(canonicalQuantity(canonicalQuantity(a))).toBe(canonicalQuantity(a))
        expect(subtractQuantities(addQuantities(left, right), right).nanos).toBe(left.nanos)
      }),
    )
  })
})
