import { describe, expect, it } from 'vitest'
import { exactJsonText, NumberRangeError, parseExactJson } from '../../src/kube/index.ts'

describe('JSON with numbers of 64 bits', () => {
  it.each([
    '{"a":9007199254740993}',
    '[-9223372036854775808,9223372036854775807]',
    '{"a":{"b":[1,9007199254740993,"9007199254740993"]},"c":9007199254740991}',
    '{"quoted \\" : 9007199254740993":": 9007199254740993"}',
    '{"__proto__":9007199254740993}',
  ])('comes back digit by digit: %s', (text) => {
    expect(exactJsonText(parseExactJson(text))).toBe(text)
  })

  it('is made of plain numbers where those are exact', () => {
    expect(parseExactJson('{"a":9007199254740991,"b":1.5,"c":1e3,"d":1234567890123456e1}')).toEqual({
      a: 9007199254740991,
      b: 1.5,
      c: 1000,
      d: 12345678901234560,
    })
  })

  it('has floating point numbers beyond 64 bits, as Go has', () => {
    expect(exactJsonText(parseExactJson('{"a":18446744073709551616}'))).toBe('{"a":18446744073709552000}')
  })

  it('ends where floating point numbers end', () => {
    expect(() => parseExactJson('{"a": 1e400}')).toThrow(NumberRangeError)
    expect(() => parseExactJson(`{"a":${'9'.repeat(400)}}`)).toThrow(NumberRangeError)
    expect(parseExactJson('{"a":"x","b":[1e-400]}')).toEqual({ a: 'x', b: [0] })
  })
})
