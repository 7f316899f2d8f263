import { array, assert, constantFrom, json as anyJson, oneof, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CelBudgetError,
  CelCompileError,
  celTypes,
  CelEvaluationError,
  compile,
  fromJson,
  kubernetesEnvironment,
} from '../../../src/cluster/cel/index.ts'

const environment = kubernetesEnvironment.with({ x: celTypes.dyn, text: celTypes.dyn })
const many = Array.from({ length: 100_000 }, (_, at) => at)

/** Generous for a shared machine; an unbounded expression would take minutes. */
const mostMs = 5000

function timed(expression: string, bindings: Record<string, unknown>): unknown {
  const values = Object.fromEntries(Object.entries(bindings).map(([name, json]) => [name, fromJson(json)]))
  const begin = performance.now()
  try {
    return compile(expression, environment).evaluate(values)
  } finally {
    expect(performance.now() - begin).toBeLessThan(mostMs)
  }
}

describe('hostile expressions', () => {
  it.each([
    ['x.all(a, x.all(b, a + b >= 0))', { x: many }],
    ['x.map(a, x.map(b, b)).size() > 0', { x: many }],
    ['x.all(a, a in x)', { x: many }],
    ['x.distinct().size() > 0', { x: many }],
    [
      `cel.bind(a, text + text, ${'cel.bind(a, a + a, '.repeat(30)}a${')'.repeat(30)}).size() > 0`,
      { text: 'x'.repeat(1000) },
    ],
    [`cel.bind(a, [1], ${'cel.bind(a, a + a, '.repeat(40)}a${')'.repeat(40)}).size() > 0`, {}],
    [
      `cel.bind(a, [1], cel.bind(b, [1], ${'cel.bind(a, [a, a], cel.bind(b, [b, b], '.repeat(25)}a == b${')'.repeat(52)}`,
      {},
    ],
    [`cel.bind(a, [1], ${'cel.bind(a, [a, a], '.repeat(40)}"%s".format([a])${')'.repeat(40)}) == ""`, {}],
    ['text.replace("", text).replace("", text).size() > 0', { text: 'y'.repeat(20_000) }],
    ['x.all(i, text.matches("(a|aa)+$"))', { x: many, text: 'a'.repeat(1000) }],
    ['x.all(i, text.contains(text + "b"))', { x: many, text: 'a'.repeat(10_000) }],
  ])('stops %s', (expression, bindings) => {
    expect(() => timed(expression, bindings)).toThrow(CelBudgetError)
  })

  it('matches what would hang a backtracking engine', () => {
    expect(timed('text.matches("^(a+)+$")', { text: `${'a'.repeat(5000)}b` })).toBe(false)
  })

  it('absorbs no exhausted budget, neither in || nor in loops', () => {
    expect(() => timed('x.exists(a, x.all(b, a + b >= 0) && false) || true', { x: many })).toThrow(
      CelBudgetError,
    )
  })

  it('refuses absurd numbers without computing them', () => {
    expect(timed('isQuantity(text)', { text: '9'.repeat(1_000_000) })).toBe(false)
    expect(() => timed('int(text) > 0', { text: '9'.repeat(1_000_000) })).toThrow(CelEvaluationError)
  })

  it('reads texts without end and thousands of optional entries in no time', () => {
    for (const start of ['?"', "[?'", '[?"""', 'b"?']) {
      expect(() => timed(`${start}${'\\"'.repeat(45_000)}`, {})).toThrow(CelCompileError)
      expect(() => timed(`${start}${"\\'".repeat(45_000)}`, {})).toThrow(CelCompileError)
    }
    expect(timed(`[${'?x.?y,'.repeat(5000)}].size() == 5000`, { x: { y: 1 } })).toBe(true)
    for (const word of ['a.', 'a{', 'a .', 'a {b:'])
      expect(() => timed(`${word.repeat(20_000)}x{`, {})).toThrow(CelCompileError)
  })

  it('keeps to its own errors for any text and any JSON', () => {
    const fragments = constantFrom(
      ...'x text . ( ) [ ] { } , : ? ! - + * / % == != < >= && || in has all( exists( map( size() 1 2.5 "a" b"\\x00" true null 1u i optional.of( .?y [?0] [?x {?x: ,? Object{ Object.x{y: x.y{ matches("a+") split("") format([1]) cel.bind(a, duration("1h") timestamp('.split(
        ' ',
      ),
    )
    assert(
      property(
        oneof(
          array(fragments, { maxLength: 12 }).map((parts) => parts.join(' ')),
          string(),
        ),
        anyJson(),
        (expression, json) => {
          try {
            compile(expression, environment).evaluate({ x: fromJson(JSON.parse(json)), text: 'abc' })
          } catch (error) {
            expect(
              error instanceof CelCompileError || error instanceof CelEvaluationError,
              `${expression}: ${String(error)}`,
            ).toBe(true)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('finds no fields in prototypes', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(timed(`has(x.${name})`, { x: {} })).toBe(false)
      expect(timed(`"${name}" in x`, { x: {} })).toBe(false)
    }
  })
})
