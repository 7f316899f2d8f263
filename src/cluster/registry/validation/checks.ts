import { isIP } from 'node:net'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../faults.ts'
import {
  type Check,
  dnsSubdomain,
  labelText,
  patternText,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts'
import { validateLabels } from './metadata.ts'

/** One fault per text with which `check` objects to the value. */
export function checked(path: string, value: string, check: Check): Fault[] {
  return check(value).map((text) => invalidValue(path, value, text))
}

export function notNegative(path: string, value: number | undefined): Fault[] {
  return value !== undefined && value < 0
    ? [invalidValue(path, value, 'must be greater than or equal to 0')]
    : []
}

const percent = '[0-9]+%'

/** A number, or a share of one: `25%`. */
export function countOrPercent(path: string, amount: number | string): Fault[] {
  if (typeof amount === 'number') return notNegative(path, amount)
  if (/^[0-9]+%$/.test(amount)) return []
  const text = "a valid percent string must be a numeric string followed by an ending '%'"
  return [invalidValue(path, amount, patternText(text, percent, '1%', '93%'))]
}

export function notMoreThanAll(path: string, amount: number | string): Fault[] {
  const isTooMuch =
    typeof amount === 'string' && /^[0-9]+%$/.test(amount) && Number.parseInt(amount, 10) > 100
  return isTooMuch ? [invalidValue(path, amount, 'must not be greater than 100%')] : []
}

/** A fault of a whole structure, too large to repeat. */
export const invalidWhole = (path: string, detail: string): Fault => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${detail}`,
  field: path,
})

export const tooMany = (path: string, count: number, most: number): Fault => ({
  reason: 'FieldValueTooMany',
  message: `Too many: ${count}: must have at most ${most} items`,
  field: path,
})

/** A value of a closed set that must be given. */
export function requiredChoice(path: string, value: string | undefined, choices: readonly string[]): Fault[] {
  if (!value) return [required(path)]
  return optionalChoice(path, value, choices)
}

/** A value of a closed set, if given. */
export function optionalChoice(path: string, value: string | undefined, choices: readonly string[]): Fault[] {
  return value === undefined || choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

export function ipAddress(path: string, value: string): Fault[] {
  return isIP(value) === 0
    ? [invalidValue(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : []
}

export function cidr(path: string, value: string): Fault[] {
  const [address = '', bits = ''] = value.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  const isValid = isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most
  return isValid
    ? []
    : [invalidValue(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}

/** Pods of this cluster share their machine and have loopback addresses of their own: 127.64.0.0/10. */
const isOfPods = (address: string): boolean => /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(address)

/** Addresses that mean something on one machine only, or nothing at all. */
export function ordinaryAddress(path: string, value: string): Fault[] {
  if (isIP(value) === 0) return [invalidValue(path, value, 'must be a valid IP address')]
  if (value === '0.0.0.0' || value === '::') {
    return [invalidValue(path, value, `may not be unspecified (${value})`)]
  }
  if ((value.startsWith('127.') && !isOfPods(value)) || value === '::1') {
    return [invalidValue(path, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')]
  }
  if (value.startsWith('169.254.') || /^fe[89ab]/i.test(value)) {
    return [invalidValue(path, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')]
  }
  if (value.startsWith('224.0.0.') || /^ff02/i.test(value)) {
    return [
      invalidValue(path, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'),
    ]
  }
  return []
}

export function portNumberOrName(path: string, port: number | string | undefined): Fault[] {
  if (typeof port === 'string') return checked(path, port, portName)
  return portNumber(port ?? 0).map((text) => invalidValue(path, port ?? 0, text))
}

interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

export function validateLabelSelector(path: string, selector: LabelSelector | undefined): Fault[] {
  if (selector === undefined) return []
  const faults = validateLabels(selector.matchLabels ?? {}, `${path}.matchLabels`)
  for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`
    const count = values?.length ?? 0
    if (operator === 'In' || operator === 'NotIn') {
      if (count === 0) {
        faults.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (count > 0) {
        faults.push(
          forbiddenField(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        )
      }
    } else {
      faults.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'))
    }
    faults.push(...checked(`${at}.key`, key, qualifiedName))
    for (const [position, value] of (values ?? []).entries()) {
      faults.push(...checked(`${at}.values[${position}]`, value, labelText))
    }
  }
  return faults
}

/** Do these labels satisfy the selector? A selector that is not there selects nothing. */
export function selectorMatches(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false
  for (const key in selector.matchLabels) {
    if (labels?.[key] !== selector.matchLabels[key]) return false
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const value = labels?.[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const isListed = value !== undefined && (values ?? []).includes(value)
    return operator === 'In' ? isListed : !isListed
  })
}

/** `acme.io/foo`: who takes care of an object. */
export function domainPrefixedPath(path: string, value: string): Fault[] {
  if (value === '') return [required(path)]
  const slash = value.indexOf('/')
  const [host, rest] = [value.slice(0, slash), value.slice(slash + 1)]
  if (slash <= 0 || rest === '') {
    return [invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  }
  const faults = checked(path, host, dnsSubdomain)
  const pattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
  if (!new RegExp(`^${pattern}$`).test(rest)) {
    faults.push(invalidValue(path, rest, `Invalid path (regex used for validation is '${pattern}')`))
  }
  return faults
}
