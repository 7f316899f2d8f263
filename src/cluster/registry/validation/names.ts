/**
 * The formats of names, keys and numbers, with the words Kubernetes uses for them. Every check answers with the
 * texts of what is wrong, none when all is well.
 */

/** A check of one string. */
export type Check = (value: string) => string[]

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const wildcard = `\\*\\.${subdomain}`
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const underscoreSubdomain = `${underscoreLabel}(\\.${underscoreLabel})*`
const keyName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const labelValue = `(${keyName})?`
const configKey = '[-._a-zA-Z0-9]+'
const headerName = '[-A-Za-z0-9]+'
const cIdentifier = '[A-Za-z_][A-Za-z0-9_]*'

const whole = (format: string) => new RegExp(`^${format}$`)
const isLabel = whole(label)
const isSubdomain = whole(subdomain)
const isWildcard = whole(wildcard)
const is1035 = whole(dns1035)
const isUnderscoreSubdomain = whole(underscoreSubdomain)
const isKeyName = whole(keyName)
const isLabelText = whole(labelValue)
const isConfigKey = whole(configKey)
const isHeaderName = whole(headerName)
const isCIdentifier = whole(cIdentifier)

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const keyText =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/** Bytes of the text in UTF-8: what Go's `len` counts. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text)
}

export const maxLength = (limit: number): string => `must be no more than ${limit} characters`
const maxBytes = (limit: number): string => `must be no more than ${limit} bytes`
export const between = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`

/** How a violated pattern is explained; each example is followed by a comma, as in Kubernetes. */
export function patternText(text: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${pattern}')`
  const list = examples.map((example) => `'${example}', `).join(' or ')
  return `${text} (e.g. ${list}regex used for validation is '${pattern}')`
}

export const dnsLabel: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 63) wrong.push(maxLength(63))
  if (!isLabel.test(value)) {
    wrong.push(
      isSubdomain.test(value)
        ? 'must not contain dots'
        : patternText(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            label,
            'my-name',
            '123-abc',
          ),
    )
  }
  return wrong
}

function subdomainCheck(value: string, tooLong: string): string[] {
  const wrong: string[] = []
  if (byteLength(value) > 253) wrong.push(tooLong)
  if (!isSubdomain.test(value)) wrong.push(patternText(subdomainText, subdomain, 'example.com'))
  return wrong
}

export const dnsSubdomain: Check = (value) => subdomainCheck(value, maxLength(253))

/** `*.example.com`: any host of a domain. */
export const wildcardSubdomain: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 253) wrong.push(maxLength(253))
  if (!isWildcard.test(value)) {
    wrong.push(
      patternText(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        wildcard,
        '*.example.com',
      ),
    )
  }
  return wrong
}

/** A subdomain that may hold underscores: search domains of a pod. */
export const dnsSubdomainWithUnderscore: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 253) wrong.push(maxLength(253))
  if (!isUnderscoreSubdomain.test(value)) {
    wrong.push(
      patternText(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        underscoreSubdomain,
        'example.com',
      ),
    )
  }
  return wrong
}

export const dns1035Label: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 63) wrong.push(maxLength(63))
  if (!is1035.test(value)) {
    wrong.push(
      patternText(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        dns1035,
        'my-name',
        'abc-123',
      ),
    )
  }
  return wrong
}

export const pathSegment: Check = (value) => {
  if (value === '.') return ["may not be '.'"]
  if (value === '..') return ["may not be '..'"]
  return pathSegmentPrefix(value)
}

/** What may begin a path segment. */
export const pathSegmentPrefix: Check = (value) =>
  ['/', '%'].filter((bad) => value.includes(bad)).map((bad) => `may not contain '${bad}'`)

/** A label key, a resource name, a finalizer: an optional DNS prefix, a slash and a name. */
export const qualifiedName: Check = (value) => {
  const parts = value.split('/')
  const wrong: string[] = []
  if (parts.length > 2) {
    return [
      `a valid label key ${patternText(keyText, keyName, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') wrong.push('prefix part must be non-empty')
    else wrong.push(...subdomainCheck(prefix, maxBytes(253)).map((text) => `prefix part ${text}`))
  }
  if (name === '') wrong.push('name part must be non-empty')
  else if (byteLength(name) > 63) wrong.push(`name part ${maxBytes(63)}`)
  if (!isKeyName.test(name)) {
    wrong.push(`name part ${patternText(keyText, keyName, 'MyName', 'my.name', '123-abc')}`)
  }
  return wrong
}

export const labelText: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 63) wrong.push(maxBytes(63))
  if (!isLabelText.test(value)) {
    wrong.push(
      patternText(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValue,
        'MyValue',
        'my_value',
        '12345',
      ),
    )
  }
  return wrong
}

export const configMapKey: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 253) wrong.push(maxLength(253))
  if (!isConfigKey.test(value)) {
    wrong.push(
      patternText(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKey,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    )
  }
  if (value === '.') wrong.push("must not be '.'")
  else if (value === '..') wrong.push("must not be '..'")
  else if (value.startsWith('..')) wrong.push("must not start with '..'")
  return wrong
}

export const environmentName: Check = (value) => {
  const wrong: string[] = []
  if (value === '') wrong.push('environment variable name must be non-empty')
  if (!/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) {
    wrong.push(
      "a valid environment variable name must consist only of printable ASCII characters other than '='",
    )
  }
  return wrong
}

export const cIdentifierName: Check = (value) =>
  isCIdentifier.test(value)
    ? []
    : [
        patternText(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          cIdentifier,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ]

export const portName: Check = (value) => {
  const wrong: string[] = []
  if (byteLength(value) > 15) wrong.push(maxLength(15))
  if (!/^[-a-z0-9]+$/.test(value)) {
    wrong.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) wrong.push('must contain at least one letter (a-z)')
  if (value.includes('--')) wrong.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) wrong.push('must not begin or end with a hyphen')
  return wrong
}

export const httpHeaderName: Check = (value) =>
  isHeaderName.test(value)
    ? []
    : [
        patternText(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          headerName,
          'X-Header-Name',
        ),
      ]

export const portNumber = (value: number): string[] =>
  value >= 1 && value <= 65535 ? [] : [between(1, 65535)]

/** User and group ids of Linux. */
export const linuxId = (value: number): string[] =>
  value >= 0 && value <= 0xffffffff ? [] : [between(0, 0xffffffff)]
