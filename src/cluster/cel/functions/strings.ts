import { type Budget } from '../budget.ts'
import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { characters, slice } from '../text.ts'
import { bool, int, listOf, string } from '../types.ts'
import { List, type Value, ValueList } from '../values.ts'
import { areEqual } from '../comparison.ts'
import { format } from './format.ts'

type Two = [string, string]
const two = ['string', 'string']

/** Looking for a text in another: the worst case is every place times the length looked for. */
function spendOnSearch(text: string, wanted: string, budget: Budget): void {
  budget.spendOn(text.length * Math.max(1, wanted.length / 10))
}

function position(value: bigint, length: number): number {
  if (value < 0n || value > BigInt(length)) throw new CelEvaluationError(`index out of range: ${value}`)
  return Number(value)
}

/** Where `wanted` begins, in code points; -1 when it does not. */
function search(text: string, wanted: string, from: number, budget: Budget): bigint {
  spendOnSearch(text, wanted, budget)
  const all = characters(text)
  if (typeof all === 'string') return BigInt(all.indexOf(wanted, from))
  const head = all.slice(0, from).join('').length
  const at = text.indexOf(wanted, head)
  return at < 0 ? -1n : BigInt(characters(text.slice(0, at)).length)
}

function searchBackwards(text: string, wanted: string, from: number | undefined, budget: Budget): bigint {
  spendOnSearch(text, wanted, budget)
  const all = characters(text)
  const limit =
    from === undefined ? text.length : typeof all === 'string' ? from : all.slice(0, from).join('').length
  const at = text.lastIndexOf(wanted, limit)
  return at < 0 ? -1n : BigInt(characters(text.slice(0, at)).length)
}

function replaced(text: string, from: string, to: string, limit: number, budget: Budget): string {
  spendOnSearch(text, from, budget)
  const parts = text.split(from)
  const count = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1)
  budget.spendOn(text.length + count * to.length)
  return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from)
}

function splitAt(text: string, separator: string, limit: number, budget: Budget): Value {
  spendOnSearch(text, separator, budget)
  if (limit === 0) return new ValueList([])
  const parts = separator === '' ? [...text] : text.split(separator)
  budget.spendOn(parts.length)
  if (limit < 0 || parts.length <= limit) return new ValueList(parts)
  return new ValueList([...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)])
}

function joinAll(list: List, separator: string, budget: Budget): string {
  const parts: string[] = []
  for (const item of list) {
    if (typeof item !== 'string') throw new CelEvaluationError('join: elements must be strings')
    budget.spendOn(item.length + separator.length)
    parts.push(item)
  }
  return parts.join(separator)
}

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** Functions on strings (cel-go's `ext.Strings`, version 2). */
export const strings: readonly CelFunction[] = [
  method(
    'contains',
    overload<Two>(two, bool, ([text, wanted], budget) => {
      spendOnSearch(text, wanted, budget)
      return text.includes(wanted)
    }),
  ),
  method(
    'startsWith',
    overload<Two>(two, bool, ([text, start], budget) => {
      budget.spendOn(start.length)
      return text.startsWith(start)
    }),
  ),
  method(
    'endsWith',
    overload<Two>(two, bool, ([text, end], budget) => {
      budget.spendOn(end.length)
      return text.endsWith(end)
    }),
  ),
  method(
    'charAt',
    overload<[string, bigint]>(['string', 'int'], string, ([text, at], budget) => {
      budget.spendOn(text.length)
      const all = characters(text)
      return all[position(at, all.length)] ?? ''
    }),
  ),
  method(
    'indexOf',
    overload<Two>(two, int, ([text, wanted], budget) => search(text, wanted, 0, budget)),
    overload<[string, string, bigint]>(['string', 'string', 'int'], int, ([text, wanted, from], budget) =>
      search(text, wanted, position(from, characters(text).length), budget),
    ),
    overload<[List, Value]>(['list', 'dyn'], int, ([list, wanted], budget) =>
      listIndex(list, wanted, budget),
    ),
  ),
  method(
    'lastIndexOf',
    overload<Two>(two, int, ([text, wanted], budget) => searchBackwards(text, wanted, undefined, budget)),
    overload<[string, string, bigint]>(['string', 'string', 'int'], int, ([text, wanted, from], budget) =>
      searchBackwards(text, wanted, position(from, characters(text).length), budget),
    ),
    overload<[List, Value]>(['list', 'dyn'], int, ([list, wanted], budget) =>
      lastListIndex(list, wanted, budget),
    ),
  ),
  method(
    'lowerAscii',
    overload<[string]>(['string'], string, ([text], budget) => {
      budget.spendOn(text.length)
      return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    }),
  ),
  method(
    'upperAscii',
    overload<[string]>(['string'], string, ([text], budget) => {
      budget.spendOn(text.length)
      return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
    }),
  ),
  method(
    'trim',
    overload<[string]>(['string'], string, ([text], budget) => {
      budget.spendOn(text.length)
      return trimmed(text)
    }),
  ),
  method(
    'reverse',
    overload<[string]>(['string'], string, ([text], budget) => {
      budget.spendOn(text.length)
      return [...text].reverse().join('')
    }),
  ),
  method(
    'replace',
    overload<[string, string, string]>(['string', 'string', 'string'], string, ([text, from, to], budget) =>
      replaced(text, from, to, -1, budget),
    ),
    overload<[string, string, string, bigint]>(
      ['string', 'string', 'string', 'int'],
      string,
      ([text, from, to, limit], budget) => replaced(text, from, to, Number(limit), budget),
    ),
  ),
  method(
    'split',
    overload<Two>(two, listOf(string), ([text, separator], budget) => splitAt(text, separator, -1, budget)),
    overload<[string, string, bigint]>(
      ['string', 'string', 'int'],
      listOf(string),
      ([text, separator, limit], budget) => splitAt(text, separator, Number(limit), budget),
    ),
  ),
  method(
    'substring',
    overload<[string, bigint]>(['string', 'int'], string, ([text, from], budget) => {
      budget.spendOn(text.length)
      const { length } = characters(text)
      return slice(text, position(from, length), length)
    }),
    overload<[string, bigint, bigint]>(['string', 'int', 'int'], string, ([text, from, to], budget) => {
      budget.spendOn(text.length)
      const { length } = characters(text)
      if (from > to) throw new CelEvaluationError(`invalid substring range. start: ${from}, end: ${to}`)
      return slice(text, position(from, length), position(to, length))
    }),
  ),
  method(
    'join',
    overload<[List]>(['list'], string, ([list], budget) => joinAll(list, '', budget)),
    overload<[List, string]>(['list', 'string'], string, ([list, separator], budget) =>
      joinAll(list, separator, budget),
    ),
  ),
  method(
    'format',
    overload<[string, List]>(['string', 'list'], string, ([text, values], budget) =>
      format(text, values, budget),
    ),
  ),
  global(
    'strings.quote',
    overload<[string]>(['string'], string, ([text], budget) => {
      budget.spendOn(text.length)
      return `"${[...text].map((one) => escapes[one] ?? one).join('')}"`
    }),
  ),
]

/** By hand: a regular expression that looks for white space before the end is quadratic in the white space within. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isSpace(code: number): boolean {
  return code === 0x85 || (code !== 0xfeff && String.fromCharCode(code).trim() === '')
}

function listIndex(list: List, wanted: Value, budget: Budget): bigint {
  for (let at = 0; at < list.length; at++) if (areEqual(list.at(at), wanted, budget)) return BigInt(at)
  return -1n
}

function lastListIndex(list: List, wanted: Value, budget: Budget): bigint {
  for (let at = list.length - 1; at >= 0; at--) if (areEqual(list.at(at), wanted, budget)) return BigInt(at)
  return -1n
}
