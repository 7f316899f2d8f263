import { SelectorError } from './selector.ts'

/** One term of a field selector, as in `status.phase!=Running`. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/**
 * Reads a field selector. Which fields a kind offers is not checked here.
 *
 * @throws {SelectorError}
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const requirements: FieldRequirement[] = []
  for (const term of splitUnescaped(text)) {
    if (term === '') continue
    const match = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)([\s\S]*)$/.exec(term)
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field = '', operator = '', value = ''] = match
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) })
  }
  return requirements.sort((a, b) => (a.field < b.field ? -1 : Number(a.field > b.field)))
}

function splitUnescaped(text: string): string[] {
  const terms: string[] = []
  let term = ''
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? ''
    if (character === '\\') {
      term += character + (text[index + 1] ?? '')
      index += 1
    } else if (character === ',') {
      terms.push(term)
      term = ''
    } else {
      term += character
    }
  }
  terms.push(term)
  return terms
}

function unescapeValue(value: string): string {
  let result = ''
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index] ?? ''
    if (character === '\\') {
      const next = value[index + 1] ?? ''
      if (next !== '\\' && next !== ',' && next !== '=') {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`)
      }
      result += next
      index += 1
    } else if (character === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character}`)
    } else {
      result += character
    }
  }
  return result
}

/** Do the fields satisfy every requirement? `valueOf` gives '' for a field that is not set. */
export function matchesFields(
  selector: readonly FieldRequirement[],
  valueOf: (field: string) => string,
): boolean {
  return selector.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === '='))
}
