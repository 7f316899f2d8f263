import { assert as property, constantFrom, oneof, property as given, string, array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTarget } from '../../../src/cluster/http/target.ts'
import {
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  QuantityError,
  SelectorError,
} from '../../../src/kube/index.ts'

const tricks = constantFrom(
  '..',
  '.',
  '%2e%2e',
  '%2F',
  '%00',
  '%',
  '%zz',
  '//',
  '?',
  '#',
  'api',
  'v1',
  'namespaces',
  'ü',
  '',
)
const words = (parts: ReturnType<typeof constantFrom<string[]>>, separator: string) =>
  array(oneof(parts, string({ maxLength: 12 })), { maxLength: 12 }).map((list) => list.join(separator))

describe('words of strangers', () => {
  it('never make a path mean what its segments do not say', () => {
    property(
      given(words(tricks, '/'), constantFrom('GET', 'POST', 'BREW'), (path, method) => {
        const { resource } = parseTarget(method, `/api/v1/${path}`)
        for (const part of [resource?.namespace, resource?.name, resource?.plural, resource?.subresource]) {
          if (part === undefined) continue
          expect(part).not.toBe('..')
          expect(part).not.toContain('/')
          expect(part).not.toContain('\0')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are a selector or refused as none', () => {
    const pieces = constantFrom(
      'a',
      'b in (c)',
      '!',
      '=',
      '!=',
      'notin',
      '(',
      ')',
      ',',
      ' ',
      'x/y',
      '\\',
      '==',
    )
    property(
      given(words(pieces, ''), (text) => {
        for (const parse of [parseLabelSelector, parseFieldSelector])
          try {
            parse(text)
          } catch (error) {
            expect(error).toBeInstanceOf(SelectorError)
          }
      }),
      { numRuns: 500 },
    )
  })

  it('that are huge selectors are read in the time of their length', () => {
    const start = performance.now()
    parseLabelSelector(Array.from({ length: 20_000 }, (_, index) => `k${index}=v`).join(','))
    expect(() => parseLabelSelector(`a in ${'('.repeat(100_000)}`)).toThrow(SelectorError)
    expect(performance.now() - start).toBeLessThan(3000)
  })

  it('are a quantity or refused as none', () => {
    const pieces = constantFrom('1', '0', '.', 'e', 'E', '-', '+', 'Ki', 'm', 'G', '999999999999', ' ')
    property(
      given(words(pieces, ''), (text) => {
        try {
          parseQuantity(text)
        } catch (error) {
          expect(error).toBeInstanceOf(QuantityError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
