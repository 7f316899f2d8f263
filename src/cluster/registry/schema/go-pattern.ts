const compiled = new Map<string, RegExp>()

/**
 * A regular expression in Go's syntax as one of JavaScript. The few spellings that differ are translated; what neither
 * knows matches everything, since a CRD with a broken pattern is refused when it is created.
 */
export function goPattern(pattern: string): RegExp {
  let found = compiled.get(pattern)
  if (!found) {
    found = compile(pattern)
    // Patterns come from CRDs; the bound only keeps a stream of ever new ones from filling the memory.
    if (compiled.size > 10_000) compiled.clear()
    compiled.set(pattern, found)
  }
  return found
}

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

function compile(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  const source = (flags ? pattern.slice(flags[0].length) : pattern)
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole)
    .replaceAll(/\\([Az])/g, (_whole, anchor) => (anchor === 'A' ? '^' : '$'))
  for (const unicode of ['u', '']) {
    try {
      return new RegExp(source, unicode + (flags?.[1] ?? ''))
    } catch (error) {
      // Go allows escapes such as \- that the unicode mode does not; the other mode takes them.
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return /(?:)/
}
