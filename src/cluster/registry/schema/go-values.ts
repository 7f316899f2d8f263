/** Texts inside JSON strings that Go's types read in their own way: base64, times. */

/** The fault of base64 in the words of Go, undefined for good text. Line breaks inside are allowed, as in Go. */
export function base64Fault(text: string): string | undefined {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const offset = corruptAt(text)
  return offset === undefined ? undefined : `illegal base64 data at input byte ${offset}`
}

/** Offset that Go's decoder reports: the first bad byte, or where it gave up waiting for a group to be filled. */
function corruptAt(text: string): number | undefined {
  let inGroup = 0
  let at = 0
  const skipBreaks = (): void => {
    while (text[at] === '\n' || text[at] === '\r') at++
  }
  for (;;) {
    skipBreaks()
    const char = text[at]
    if (char === undefined) return inGroup === 0 ? undefined : at - inGroup
    if (char === '=') {
      if (inGroup < 2) return at
      at++
      if (inGroup === 2) {
        skipBreaks()
        if (at >= text.length) return text.length
        if (text[at] !== '=') return at
        at++
      }
      skipBreaks()
      return at < text.length ? at : undefined
    }
    if (!/^[A-Za-z0-9+/]$/.test(char)) return at
    at++
    inGroup = (inGroup + 1) % 4
  }
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/
const canonicalTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

/**
 * A time as the server writes it: UTC, whole seconds, or six digits of them for `MicroTime`.
 *
 * @returns the canonical text, or Go's complaint as `fault`.
 */
export function canonicalTimeOf(text: string, micro: boolean): { text: string } | { fault: string } {
  if (!micro && canonicalTime.test(text)) return { text }
  const layout = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00'
  const match = rfc3339.exec(text)
  if (!match || (micro && match[7]?.length !== 6)) return { fault: timeFault(text, layout) }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const range =
    month < 1 || month > 12
      ? 'month'
      : hour > 23
        ? 'hour'
        : minute > 59
          ? 'minute'
          : second > 59
            ? 'second'
            : day < 1 || day > new Date(Date.UTC(2000, month, 0)).getUTCDate() || !isDay(year, month, day)
              ? 'day'
              : undefined
  if (range) return { fault: `parsing time ${JSON.stringify(text)}: ${range} out of range` }
  const ms = Date.parse(`${text.slice(0, 19)}${match[8] ?? 'Z'}`)
  if (Number.isNaN(ms)) return { fault: timeFault(text, layout) }
  const whole = new Date(ms).toISOString().slice(0, 19)
  return { text: micro ? `${whole}.${match[7] ?? '000000'}Z` : `${whole}Z` }
}

function isDay(year: number, month: number, day: number): boolean {
  // Day 0 of the next month is the last of this one; years below 100 would be taken for 19xx by Date.UTC.
  const last = new Date(0)
  last.setUTCFullYear(year, month, 0)
  return day <= last.getUTCDate()
}

/** What Go's layout parser says of a text that does not fit, element by element. */
function timeFault(text: string, layout: string): string {
  let rest = text
  for (const [element, pattern] of [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d{2}/],
    ['-', /^-/],
    ['02', /^\d{2}/],
    ['T', /^T/],
    ['15', /^\d{2}/],
    [':', /^:/],
    ['04', /^\d{2}/],
    [':', /^:/],
    ['05', layout.includes('.') ? /^\d{2}/ : /^\d{2}(?:[.,]\d+)?/],
    ...(layout.includes('.') ? ([['.000000', /^[.,]\d{6}/]] as const) : []),
    ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
  ] as const) {
    const match = pattern.exec(rest)
    if (!match)
      return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`
    rest = rest.slice(match[0].length)
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`
}
