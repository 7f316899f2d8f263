import { type Fault, invalidValue, required, tooLong } from '../../faults.ts'
import { dnsLabel, dnsSubdomain } from '../../validation/names.ts'

const longestDomain = 253
/** The longest path, as it must fit where resources are named. */
const longestPath = 253 + 1 + 63

/** Faults of a signer's name, `example.com/signer`. */
export function signerNameFaults(path: string, name: string): Fault[] {
  if (name === '') return [required(path)]
  const [domain = '', rest, ...more] = name.split('/')
  if (rest === undefined || more.length > 0) {
    return [
      invalidValue(
        path,
        name,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
      ),
    ]
  }
  const faults: Fault[] = []
  if (domain.length > longestDomain) faults.push(tooLong(path, longestDomain))
  const labels = domain.split('.')
  faults.push(...firstBad(path, domain, labels, dnsLabel))
  if (labels.length < 2)
    faults.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'))
  faults.push(...firstBad(path, rest, rest.split('.'), dnsSubdomain))
  if (rest.length > longestPath) faults.push(tooLong(path, longestPath))
  return faults
}

/** Faults of the first part that has any: those of the others would read the same. */
function firstBad(
  path: string,
  whole: string,
  parts: readonly string[],
  check: (value: string) => string[],
): Fault[] {
  for (const part of parts) {
    const texts = check(part)
    if (texts.length > 0)
      return texts.map((text) =>
        invalidValue(path, whole, `validating label ${JSON.stringify(part)}: ${text}`),
      )
  }
  return []
}
