/**
 * The rules for names, label keys and label values, with the words in which Kubernetes states them
 * (k8s.io/apimachinery/pkg/util/validation). Each function returns the faults; none means valid.
 */

const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const labelValue = `(${qualifiedName})?`
const dnsLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dnsSubdomain = `${dnsLabel}(\\.${dnsLabel})*`

function matches(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(value)
}

function tooLong(maximum: number): string {
  return `must be no more than ${maximum} bytes`
}

function byRegex(statement: string, pattern: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(',  or ')
  return `${statement} (e.g. ${shown}, regex used for validation is '${pattern}')`
}

/** Faults of a lower-case RFC 1123 label, as names of namespaces are. */
export function dnsLabelFaults(value: string): string[] {
  const faults: string[] = []
  if (value.length > 63) faults.push(tooLong(63))
  if (!matches(dnsLabel, value)) {
    faults.push(
      byRegex(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        dnsLabel,
        ['my-name', '123-abc'],
      ),
    )
  }
  return faults
}

/** Faults of a lower-case RFC 1123 subdomain, as names of most objects are. */
export function dnsSubdomainFaults(value: string): string[] {
  const faults: string[] = []
  if (value.length > 253) faults.push(tooLong(253))
  if (!matches(dnsSubdomain, value)) {
    faults.push(
      byRegex(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        dnsSubdomain,
        ['example.com'],
      ),
    )
  }
  return faults
}

/** Faults of `[prefix/]name`, as label keys, annotation keys and resource names are. */
export function qualifiedNameFaults(value: string): string[] {
  const parts = value.split('/')
  const statement =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
  const examples = ['MyName', 'my.name', '123-abc']
  if (parts.length > 2) {
    return [
      `a qualified name ${byRegex(statement, qualifiedName, examples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const faults: string[] = []
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined
  const name = parts.at(-1) ?? ''
  if (prefix === '') faults.push('prefix part must be non-empty')
  else if (prefix !== undefined)
    faults.push(...dnsSubdomainFaults(prefix).map((fault) => `prefix part ${fault}`))
  if (name === '') faults.push('name part must be non-empty')
  else if (name.length > 63) faults.push(`name part ${tooLong(63)}`)
  if (!matches(qualifiedName, name)) {
    faults.push(`name part ${byRegex(statement, qualifiedName, examples)}`)
  }
  return faults
}

/** Faults of a label's value. */
export function labelValueFaults(value: string): string[] {
  const faults: string[] = []
  if (value.length > 63) faults.push(tooLong(63))
  if (!matches(labelValue, value)) {
    faults.push(
      byRegex(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValue,
        ['MyValue', 'my_value', '12345'],
      ),
    )
  }
  return faults
}
