const begin = '# keys of the organisation file, kept by arena'
const end = '# end of the keys kept by arena'

/** The text of authorized_keys with the file's keys in a part of their own; what people added themselves stays. */
export function withSshKeys(current: string | undefined, keys: readonly string[]): string {
  const own = withoutBlock(current ?? '')
  if (keys.length === 0) return own
  const separator = own === '' || own.endsWith('\n') ? '' : '\n'
  return `${own}${separator}${[begin, ...keys, end].join('\n')}\n`
}

function withoutBlock(text: string): string {
  const start = text.indexOf(`${begin}\n`)
  if (start < 0) return text
  const stop = text.indexOf(end, start)
  if (stop < 0) return text
  return text.slice(0, start) + text.slice(stop + end.length).replace(/^\n/, '')
}
