import { type CelFunction, global, method, overload } from '../function.ts'
import { pattern, spendOnMatch } from '../regex.ts'
import type { Budget } from '../budget.ts'
import { bool, listOf, string } from '../types.ts'
import { ValueList } from '../values.ts'

type Two = [string, string]
const two = ['string', 'string']

function findAll(text: string, source: string, limit: number, budget: Budget): ValueList {
  const found: string[] = []
  spendOnMatch(text, source, budget)
  const matcher = pattern(source, budget).matcher(text)
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit
  for (let count = 0; count < most && matcher.find(); count++) {
    budget.spend(1)
    found.push(matcher.group() ?? '')
  }
  return new ValueList(found)
}

const matches = overload<Two>(two, bool, ([text, source], budget) => {
  spendOnMatch(text, source, budget)
  return pattern(source, budget).test(text)
})

/** Regular expressions, in time linear in the text. */
export const regexes: readonly CelFunction[] = [
  method('matches', matches),
  global('matches', matches),
  method(
    'find',
    overload<Two>(two, string, ([text, source], budget) => {
      spendOnMatch(text, source, budget)
      const matcher = pattern(source, budget).matcher(text)
      return matcher.find() ? (matcher.group() ?? '') : ''
    }),
  ),
  method(
    'findAll',
    overload<Two>(two, listOf(string), ([text, source], budget) => findAll(text, source, -1, budget)),
    overload<[string, string, bigint]>(
      ['string', 'string', 'int'],
      listOf(string),
      ([text, source, limit], budget) => findAll(text, source, Number(limit), budget),
    ),
  ),
]
