/**
 * Finds in a text what `encoding/json` of Go would complain about, in its words. Runs on the failure path alone: a text
 * that `JSON.parse` takes never comes here. The grammar is the same; only the words differ.
 */
export function syntaxErrorOf(text: string): string {
  const scanner = new Scanner(text)
  try {
    scanner.value()
    scanner.space()
    if (scanner.at < text.length) scanner.fail('after top-level value')
  } catch (error) {
    if (error instanceof GoSyntaxError) return error.message
    throw error
  }
  return 'invalid JSON'
}

/** Nesting beyond which Go's decoder, and we, refuse a text: what follows the walk would overflow the stack. */
export const maxDepth = 1000
export const tooDeep = 'exceeded max depth'

class GoSyntaxError extends Error {}

class Scanner {
  at = 0
  #depth = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  space(): void {
    while (' \t\r\n'.includes(this.#text[this.at] ?? 'x')) this.at++
  }

  fail(context: string): never {
    if (this.at >= this.#text.length) throw new GoSyntaxError('unexpected end of JSON input')
    throw new GoSyntaxError(`invalid character ${quoted(this.#text.codePointAt(this.at) ?? 0)} ${context}`)
  }

  value(): void {
    this.space()
    const char = this.#text[this.at]
    if (char === '{' || char === '[') {
      if (++this.#depth > maxDepth) throw new GoSyntaxError(tooDeep)
      if (char === '{') this.#object()
      else this.#array()
      this.#depth--
    } else if (char === '"') this.#string()
    else if (char === 't') this.#literal('true')
    else if (char === 'f') this.#literal('false')
    else if (char === 'n') this.#literal('null')
    else if (char === '-' || isDigit(char)) this.#number()
    else this.fail('looking for beginning of value')
  }

  #object(): void {
    this.at++
    this.space()
    if (this.#text[this.at] === '}') {
      this.at++
      return
    }
    for (;;) {
      this.space()
      if (this.#text[this.at] !== '"') this.fail('looking for beginning of object key string')
      this.#string()
      this.space()
      if (this.#text[this.at] !== ':') this.fail('after object key')
      this.at++
      this.value()
      this.space()
      const char = this.#text[this.at]
      if (char !== ',' && char !== '}') this.fail('after object key:value pair')
      this.at++
      if (char === '}') return
    }
  }

  #array(): void {
    this.at++
    this.space()
    if (this.#text[this.at] === ']') {
      this.at++
      return
    }
    for (;;) {
      this.value()
      this.space()
      const char = this.#text[this.at]
      if (char !== ',' && char !== ']') this.fail('after array element')
      this.at++
      if (char === ']') return
    }
  }

  #string(): void {
    this.at++
    for (;;) {
      const char = this.#text[this.at]
      if (char === undefined || char < ' ') this.fail('in string literal')
      this.at++
      if (char === '"') return
      if (char !== '\\') continue
      const escaped = this.#text[this.at]
      if (escaped === undefined || !'bfnrt\\/"u'.includes(escaped)) this.fail('in string escape code')
      this.at++
      if (escaped !== 'u') continue
      for (let digit = 0; digit < 4; digit++) {
        if (!/^[0-9a-fA-F]$/.test(this.#text[this.at] ?? '')) this.fail('in \\u hexadecimal character escape')
        this.at++
      }
    }
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++, this.at++)
      if (this.#text[this.at] !== word[index])
        this.fail(`in literal ${word} (expecting ${quoted(word.charCodeAt(index))})`)
  }

  #number(): void {
    if (this.#text[this.at] === '-') {
      this.at++
      if (!isDigit(this.#text[this.at])) this.fail('in numeric literal')
    }
    if (this.#text[this.at] === '0') this.at++
    else this.#digits()
    if (this.#text[this.at] === '.') {
      this.at++
      if (!isDigit(this.#text[this.at])) this.fail('after decimal point in numeric literal')
      this.#digits()
    }
    if (this.#text[this.at] === 'e' || this.#text[this.at] === 'E') {
      this.at++
      if (this.#text[this.at] === '+' || this.#text[this.at] === '-') this.at++
      if (!isDigit(this.#text[this.at])) this.fail('in exponent of numeric literal')
      this.#digits()
    }
  }

  #digits(): void {
    while (isDigit(this.#text[this.at])) this.at++
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

const escapes: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  39: "\\'",
  92: '\\\\',
}

/** A character as Go's syntax errors show it. Go looks at bytes: of a longer character it names the first. */
function quoted(codePoint: number): string {
  const first =
    codePoint < 0x80 ? codePoint : (new TextEncoder().encode(String.fromCodePoint(codePoint))[0] ?? 0)
  const known = escapes[first]
  if (known !== undefined) return `'${known}'`
  if (first < 0x20 || first === 0x7f) return `'\\x${first.toString(16).padStart(2, '0')}'`
  return first < 0xa1 && first >= 0x80 ? `'\\u00${first.toString(16)}'` : `'${String.fromCharCode(first)}'`
}
