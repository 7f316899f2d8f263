import {
  dnsLabelFaults,
  dnsSubdomainFaults,
  labelValueFaults,
  qualifiedNameFaults,
} from '../../../kube/index.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { parseDate, parseTimestamp } from '../time.ts'
import { listOf, opaque, optionalOf, string } from '../types.ts'
import { Opaque, Optional, ValueList } from '../values.ts'

type Check = (text: string) => readonly string[]

/** A format that strings can be checked against. */
class FormatValue extends Opaque {
  readonly kind = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check
  constructor(name: string, check: Check) {
    super()
    this.name = name
    this.check = check
  }
  equals(other: Opaque): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

const type = opaque('kubernetes.NamedFormat')
const matching =
  (test: RegExp | ((text: string) => boolean), complaint: string): Check =>
  (text) =>
    (typeof test === 'function' ? test(text) : test.test(text)) ? [] : [complaint]
const prefixed =
  (check: Check): Check =>
  (text) =>
    check(text.replace(/-$/, 'a'))

const checks: Readonly<Record<string, Check>> = {
  dns1123Label: dnsLabelFaults,
  dns1123Subdomain: dnsSubdomainFaults,
  dns1035Label: matching(
    /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  ),
  dns1123LabelPrefix: prefixed(dnsLabelFaults),
  dns1123SubdomainPrefix: prefixed(dnsSubdomainFaults),
  dns1035LabelPrefix: prefixed(
    matching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the prefix of a DNS-1035 label'),
  ),
  qualifiedName: qualifiedNameFaults,
  labelValue: labelValueFaults,
  uri: matching((text) => URL.canParse(text), 'must be a valid URI'),
  uuid: matching(
    /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/,
    'does not match the UUID format',
  ),
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be valid base64'),
  date: matching((text) => parseDate(text) !== undefined, 'must be a valid date'),
  datetime: matching((text) => parseTimestamp(text) !== undefined, 'must be a valid date-time'),
}
const formats = new Map(Object.entries(checks).map(([name, check]) => [name, new FormatValue(name, check)]))

/** Kubernetes' library of named formats. */
export const namedFormats: readonly CelFunction[] = [
  ...[...formats].map(([name, format]) =>
    global(
      `format.${name}`,
      overload<[]>([], type, () => format),
    ),
  ),
  global(
    'format.named',
    overload<[string]>(['string'], optionalOf(type), ([name]) => {
      const format = formats.get(name)
      return format === undefined ? Optional.none : new Optional(format)
    }),
  ),
  method(
    'validate',
    overload<[FormatValue, string]>(
      [type.kind, 'string'],
      optionalOf(listOf(string)),
      ([format, text], budget) => {
        budget.spendOn(text.length)
        const complaints = format.check(text)
        return complaints.length === 0 ? Optional.none : new Optional(new ValueList(complaints))
      },
    ),
  ),
]
