import { isIPv4, isIPv6 } from 'node:net'
import { base64Fault, canonicalTimeOf } from './go-values.ts'

/** The string formats that the API server checks in custom resources; others are words without force. */
const checks: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => 'text' in canonicalTimeOf(text.toUpperCase(), false),
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && 'text' in canonicalTimeOf(`${text}T00:00:00Z`, false),
  email: (text) => /^[^\s@<>()]+@[^\s@<>()]+$/.test(text),
  hostname: (text) =>
    text.length <= 253 &&
    /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9-]{1,63})*\.?$/.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (text) => {
    const [address = '', bits = '', ...more] = text.split('/')
    if (more.length > 0 || !/^\d{1,3}$/.test(bits)) return false
    return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128)
  },
  mac: (text) => /^(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/.test(text),
  uri: (text) => /^[a-zA-Z][a-zA-Z0-9+.-]*:\S+$/.test(text) || /^\/\S*$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => text !== '' && base64Fault(text) === undefined,
  duration: (text) =>
    text === '0' ||
    /^[+-]?(?:\d+(?:\.\d*)?\s*(?:ns|us|µs|ms|s|m|h|d|w|(?:nano|micro|milli)?sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|weeks?)\s*)+$/.test(
      text,
    ),
  'k8s-short-name': (text) => text.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 &&
    /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(text),
}

/** False when the text breaks a format that the server checks. */
export function isOfFormat(text: string, format: string): boolean {
  return Object.hasOwn(checks, format) ? (checks[format]?.(text) ?? true) : true
}
