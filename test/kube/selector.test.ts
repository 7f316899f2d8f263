import { describe, expect, it } from 'vitest'
import {
  formatLabelSelector,
  labelSelectorOf,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../src/kube/index.ts'

describe('label selectors', () => {
  it.each([
    ['', { a: '1' }, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['!a', {}, true],
    ['a=1', { a: '1' }, true],
    ['a==1,b!=2', { a: '1', b: '3' }, true],
    ['a==1,b!=2', { a: '1' }, true],
    ['a in (1,2)', { a: '2' }, true],
    ['a in (1, 2), b notin (x)', { a: '2', b: 'y' }, true],
    ['a notin (1)', { a: '1' }, false],
    ['a in (in,notin)', { a: 'in' }, true],
    ['a=', { a: '' }, true],
    ['a in ()', { a: '' }, true],
    ['a>5', { a: '6' }, true],
    ['a>5', { a: 'x' }, false],
    ['a<5', { a: '6' }, false],
    ['in', { in: 'x' }, true],
    ['constructor', {}, false],
  ])('%j on %j is %s', (text, labels, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected)
  })

  it.each([
    ['==bad', "found '==', expected: !, identifier, or 'end of string'"],
    ['a=1,', "found '', expected: identifier after ','"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in 1', "unable to parse requirement: found '1' expected: '('"],
    ['a in (1', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a=1 b', "found 'b', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    [
      'a>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    ['bad key$=1', "unable to parse requirement: found 'key$', expected: in, notin, =, ==, !=, gt, lt"],
    [
      'a$=1',
      "unable to parse requirement: <nil>: Invalid value: \"a$\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  ])('says what is wrong with %j as Kubernetes does', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message)
  })

  it('reads the selectors of objects and writes them as text', () => {
    const selector = labelSelectorOf({
      matchLabels: { app: 'a' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['x', 'y'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    })
    expect(formatLabelSelector(selector)).toBe('app=a,tier in (x,y),!old')
    expect(matchesLabels(selector, { app: 'a', tier: 'y' })).toBe(true)
  })
})

describe('field selectors', () => {
  it('matches fields that are and are not something', () => {
    const selector = parseFieldSelector('status.phase!=Running,spec.nodeName=')
    expect(matchesFields(selector, (field) => (field === 'status.phase' ? 'Pending' : ''))).toBe(true)
    expect(matchesFields(selector, () => 'Running')).toBe(false)
  })

  it('reads escaped separators as part of the value', () => {
    expect(parseFieldSelector('metadata.name=a\\,b\\=c')[0]?.value).toBe('a,b=c')
  })

  it('refuses terms without an operator', () => {
    expect(() => parseFieldSelector('a=1,b')).toThrow("invalid selector: 'a=1,b'; can't understand 'b'")
  })
})
