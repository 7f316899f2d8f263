import { addressText, boundsOf, readNetwork, type ServiceCIDR } from '../../../../kube/index.ts'
import { type Fault, invalidValue, required } from '../../faults.ts'
import { cidr } from '../../validation/checks.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'

const path = 'spec.cidrs'
const immutable = 'field is immutable'

export const serviceCidrs = define<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  hasStatus: true,
  validate: ({ spec = {} }) => rangeFaults(spec),
  validateUpdate: ({ spec = {} }, old) => changeFaults(spec.cidrs ?? [], old.spec?.cidrs ?? []),
  columns: [
    nameColumn,
    column(
      'CIDRs',
      'CIDRs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is immutable.',
      ({ spec }) => (spec?.cidrs ?? []).join(','),
    ),
    ageColumn,
  ],
})

function rangeFaults(spec: NonNullable<ServiceCIDR['spec']>): Fault[] {
  const { cidrs = [] } = spec
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalidValue(path, spec, 'may only hold up to 2 values')]
  const families = new Set(cidrs.map((text) => readNetwork(text)?.address.family))
  if (cidrs.length === 2 && (families.size < 2 || families.has(undefined))) {
    const text = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    return [invalidValue(path, spec, text)]
  }
  return cidrs.flatMap((text, index) => canonicalFaults(`${path}[${index}]`, text))
}

/** A range named by its first address, as all others write it. */
function canonicalFaults(at: string, text: string): Fault[] {
  const network = readNetwork(text)
  if (!network) {
    const faults = cidr(at, text)
    return faults.length > 0 ? faults : [invalidValue(at, text, 'must be in canonical form')]
  }
  const { first } = boundsOf(network)
  if (first.bits !== network.address.bits) {
    return [invalidValue(at, text, 'must not have bits set beyond the prefix length')]
  }
  const canonical = `${addressText(first)}/${network.length}`
  return canonical === text
    ? []
    : [invalidValue(at, text, `must be in canonical form (${JSON.stringify(canonical)})`)]
}

/** A range of one family may get one of the other; what is there stays. */
function changeFaults(now: readonly string[], then: readonly string[]): Fault[] {
  const isWidened = then.length === 1 && now.length === 2
  if (now.length !== then.length && !isWidened) return [invalidValue(path, now, immutable)]
  return then.flatMap((text, index) =>
    now[index] === text ? [] : [invalidValue(`${path}[${index}]`, now[index] ?? '', immutable)],
  )
}
