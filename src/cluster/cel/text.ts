const surrogate = /[\ud800-\udfff]/

/** Code points by index. A plain string is its own list of them, which saves most texts a copy. */
export function characters(text: string): string | readonly string[] {
  return surrogate.test(text) ? [...text] : text
}

/** From one code point up to another. */
export function slice(text: string, from: number, to: number): string {
  const all = characters(text)
  return typeof all === 'string' ? all.slice(from, to) : all.slice(from, to).join('')
}
