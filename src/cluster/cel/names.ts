/**
 * Field names that are no identifiers are written with escapes in expressions
 * (https://kubernetes.io/docs/reference/using-api/cel/#escaping).
 */

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const escapes: Readonly<Record<string, string>> = {
  __underscores__: '__',
  __dot__: '.',
  __dash__: '-',
  __slash__: '/',
}

/** The field that an identifier of an expression stands for. */
export function unescapeField(name: string): string {
  const keyword = /^__([a-z]+)__$/.exec(name)?.[1]
  if (keyword !== undefined && reserved.has(keyword)) return keyword
  return name.replace(/__(?:underscores|dot|dash|slash)__/g, (match) => escapes[match] ?? match)
}
