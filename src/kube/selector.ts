import { labelValueFaults, qualifiedNameFaults } from './names.ts'

/**
 * Label selectors as texts, parsed and matched as Kubernetes does, with its words for what is wrong.
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors)
 */

/** How a requirement compares. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

/** One term of a label selector. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

/** Requirements that labels must all meet; none are met by everything. */
export type LabelSelector = readonly LabelRequirement[]

/** A selector that cannot be read. The message is the one Kubernetes gives. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SelectorError'
  }
}

type TokenKind =
  | 'identifier'
  | 'end'
  | 'error'
  | '('
  | ')'
  | ','
  | '!'
  | '='
  | '=='
  | '!='
  | '<'
  | '>'
  | 'in'
  | 'notin'

interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const symbols: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '<', '>'])
const operators: Readonly<Partial<Record<TokenKind, LabelOperator>>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}

/**
 * Reads a label selector such as `app=web,tier in (a,b),!legacy`.
 *
 * @throws {SelectorError}
 */
export function parseLabelSelector(text: string): LabelSelector {
  const tokens = tokenize(text)
  let position = 0
  // `in` and `notin` are operators only where an operator may stand; elsewhere they are plain words.
  const word = (token: Token): Token =>
    token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token
  const at = (index: number): Token => tokens[Math.min(index, tokens.length - 1)] ?? { kind: 'end', text: '' }
  const peek = (): Token => word(at(position))
  const take = (): Token => word(at(position++))

  function requirement(): LabelRequirement {
    let token = take()
    const isAbsent = token.kind === '!'
    if (isAbsent) token = take()
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    const key = token.text
    const faults = qualifiedNameFaults(key)
    if (faults.length > 0) {
      throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`)
    }
    if (isAbsent) return { key, operator: '!', values: [] }
    const next = peek()
    if (next.kind === 'end' || next.kind === ',') return { key, operator: 'exists', values: [] }
    const symbol = at(position++)
    const operator = operators[symbol.kind]
    if (operator === undefined) {
      throw new SelectorError(`found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`)
    }
    const values = operator === 'in' || operator === 'notin' ? valueSet() : [exactValue()]
    return checked({ key, operator, values: [...new Set(values)].sort() })
  }

  function exactValue(): string {
    const next = peek()
    if (next.kind === 'end' || next.kind === ',') return ''
    const token = take()
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    return token.text
  }

  function valueSet(): string[] {
    const open = take()
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const first = peek()
    if (first.kind === ')') {
      take()
      return ['']
    }
    if (first.kind !== 'identifier' && first.kind !== ',') {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values: string[] = []
    for (;;) {
      const token = take()
      if (token.kind === 'identifier') {
        values.push(token.text)
        const next = peek()
        if (next.kind === ')') break
        if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or ')'`)
      } else if (token.kind === ',') {
        if (values.length === 0) values.push('')
        const next = peek()
        if (next.kind === ')') {
          values.push('')
          break
        }
        if (next.kind === ',') {
          take()
          values.push('')
        }
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or identifier`)
      }
    }
    take()
    return values
  }

  const requirements: LabelRequirement[] = []
  for (;;) {
    const next = peek()
    if (next.kind === 'end') break
    if (next.kind !== 'identifier' && next.kind !== '!') {
      throw new SelectorError(`found '${next.text}', expected: !, identifier, or 'end of string'`)
    }
    try {
      requirements.push(requirement())
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error
      throw new SelectorError(`unable to parse requirement: ${error.message}`)
    }
    const separator = take()
    if (separator.kind === 'end') break
    if (separator.kind !== ',') {
      throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`)
    }
    const following = peek()
    if (following.kind !== 'identifier' && following.kind !== '!') {
      throw new SelectorError(`found '${following.text}', expected: identifier after ','`)
    }
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement
  const faults: string[] = []
  for (const [index, value] of values.entries()) {
    if ((operator === 'gt' || operator === 'lt') && !/^[-+]?\d+$/.test(value)) {
      faults.push(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      )
    }
    const wrong = labelValueFaults(value)
    if (wrong.length > 0) {
      faults.push(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join('; ')}`)
    }
  }
  if (faults.length > 0)
    throw new SelectorError(faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`)
  return requirement
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  while (position < text.length) {
    const character = text[position] ?? ''
    if (/[ \t\r\n]/.test(character)) {
      position += 1
    } else if (symbols.has(character)) {
      const two = text.slice(position, position + 2)
      const symbol = symbols.has(two) ? two : character
      tokens.push({ kind: symbol as TokenKind, text: symbol })
      position += symbol.length
    } else {
      const end = text.slice(position).search(/[=!(),<>\s]/)
      const identifier = end < 0 ? text.slice(position) : text.slice(position, position + end)
      const isKeyword = identifier === 'in' || identifier === 'notin'
      tokens.push({ kind: isKeyword ? identifier : 'identifier', text: identifier })
      position += Math.max(identifier.length, 1)
    }
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

/** Do these labels satisfy every requirement? */
export function matchesLabels(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return selector.every((requirement) => {
    const value =
      labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
    switch (requirement.operator) {
      case 'exists':
        return value !== undefined
      case '!':
        return value === undefined
      case '!=':
      case 'notin':
        return value === undefined || !requirement.values.includes(value)
      case 'gt':
      case 'lt': {
        if (value === undefined || !/^[-+]?\d+$/.test(value)) return false
        const difference = BigInt(value) - BigInt(requirement.values[0] ?? '0')
        return requirement.operator === 'gt' ? difference > 0n : difference < 0n
      }
      default:
        return value !== undefined && requirement.values.includes(value)
    }
  })
}

/** The shape that objects carry (`metav1.LabelSelector`). */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** The requirements of an object's `selector` field. An empty one selects everything. */
export function labelSelectorOf(selector: LabelSelectorObject): LabelSelector {
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }))
  const named: Readonly<Record<string, LabelOperator>> = {
    In: 'in',
    NotIn: 'notin',
    Exists: 'exists',
    DoesNotExist: '!',
    Gt: 'gt',
    Lt: 'lt',
  }
  for (const expression of selector.matchExpressions ?? []) {
    const operator = named[expression.operator]
    if (operator === undefined) {
      throw new SelectorError(`"${expression.operator}" is not a valid label selector operator`)
    }
    requirements.push({ key: expression.key, operator, values: expression.values ?? [] })
  }
  return requirements
}

/** The text of a selector, as the query parameter takes it. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      if (operator === 'exists') return key
      if (operator === '!') return `!${key}`
      if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`
      const symbol = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator
      return `${key}${symbol}${values[0] ?? ''}`
    })
    .join(',')
}
