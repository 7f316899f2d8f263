import { crc32 } from 'node:zlib'

/** Digits in front of a sealed text. */
const sealLength = 8

/** A text with a checksum in front that covers the key too, so that a value cannot show up under another key. */
export function seal(key: string, text: string): string {
  return `${checksum(key, text)}${text}`
}

/**
 * The text that was sealed.
 *
 * @throws {Error} when a single bit is not as it was.
 */
export function unseal(key: string, sealed: string): string {
  const text = sealed.slice(sealLength)
  if (sealed.slice(0, sealLength) !== checksum(key, text))
    throw new Error(`"${key}" does not match its checksum`)
  return text
}

function checksum(key: string, text: string): string {
  return crc32(text, crc32(key)).toString(16).padStart(sealLength, '0')
}
