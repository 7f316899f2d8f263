/** The part of DER (ITU-T X.690) that certificates need: writing all of it, reading as far as its elements. */

/** One element: its tag and the bytes within. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
  /** The element whole, with tag and length. */
  readonly bytes: Buffer
}

export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]): Buffer => element(0x31, ...parts)
export const octets = (content: Uint8Array): Buffer => element(0x04, content)
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'))
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]))
/** `[number] EXPLICIT`. */
export const tagged = (number: number, content: Uint8Array): Buffer => element(0xa0 + number, content)
/** `[number] IMPLICIT` of something that is not made of parts. */
export const implicit = (number: number, content: Uint8Array): Buffer => element(0x80 + number, content)

/** A positive number, most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const shortest = bytes.subarray(start)
  // A first bit of 1 would make it negative.
  return (shortest[0] ?? 0) >= 0x80 ? element(0x02, Buffer.from([0]), shortest) : element(0x02, shortest)
}

/** `unused`: how many of the last byte's bits do not count. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return element(0x03, Buffer.from([unused]), content)
}

/** An object identifier from its dotted form. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return element(0x06, Buffer.from(bytes))
}

/** `UTCTime` up to 2049, `GeneralizedTime` from then on (RFC 5280 section 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return at.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : element(0x18, Buffer.from(digits, 'latin1'))
}

/**
 * The elements that some bytes are made of.
 *
 * @throws {Error} when they are no DER.
 */
export function elementsOf(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]
    const first = bytes[at + 1]
    if (tag === undefined || first === undefined) throw new Error('DER ends within an element')
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    if (lengthBytes > 4) throw new Error('a DER element is too long')
    const begin = at + 2 + lengthBytes
    if (begin > bytes.length) throw new Error('DER ends within an element')
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
    const end = begin + length
    if (end > bytes.length) throw new Error('DER ends within an element')
    found.push({ tag, content: bytes.subarray(begin, end), bytes: bytes.subarray(at, end) })
    at = end
  }
  return found
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left & 0xff)
  return Buffer.from([0x80 + bytes.length, ...bytes])
}
