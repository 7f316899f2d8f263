import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from 'kubernetes-types/networking/v1.js'
import { BlockList, isIP } from 'node:net'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { cidr, optionalChoice, portNumberOrName, validateLabelSelector } from '../../validation/checks.ts'
import { portNumber } from '../../validation/names.ts'
import { ageColumn, column, nameColumn, selectorText } from '../columns.ts'
import { define } from '../define.ts'

const directions = ['Ingress', 'Egress']

export const networkPolicies = define<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  namespaced: true,
  shortNames: ['netpol'],
  tracksGeneration: true,
  setDefaults(object) {
    object.spec ??= { podSelector: {} }
    const { spec } = object
    spec.podSelector ??= {}
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= 'TCP'
    }
    if (!spec.policyTypes?.length) {
      spec.policyTypes = spec.egress?.length ? [...directions] : ['Ingress']
    }
  },
  validate({ spec = { podSelector: {} } }) {
    const { podSelector, ingress = [], egress = [], policyTypes = [] } = spec
    return [
      ...validateLabelSelector('spec.podSelector', podSelector),
      ...ingress.flatMap(({ ports = [], from = [] }, index) => [
        ...each(`spec.ingress[${index}].ports`, ports, portFaults),
        ...each(`spec.ingress[${index}].from`, from, peerFaults),
      ]),
      ...egress.flatMap(({ ports = [], to = [] }, index) => [
        ...each(`spec.egress[${index}].ports`, ports, portFaults),
        ...each(`spec.egress[${index}].to`, to, peerFaults),
      ]),
      ...(policyTypes.length > directions.length
        ? [invalidValue('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes')]
        : each('spec.policyTypes', policyTypes, (path, type) => optionalChoice(path, type, directions))),
    ]
  },
  columns: [
    nameColumn,
    column(
      'Pod-Selector',
      "podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is applied to any pods selected by this field. An empty selector matches all pods in the policy's namespace. Multiple network policies can select the same set of pods. In this case, the ingress rules for each are combined additively. This field is optional. If it is not specified, it defaults to an empty selector.",
      ({ spec }) => selectorText(spec?.podSelector),
    ),
    ageColumn,
  ],
})

function each<T>(path: string, items: readonly T[], faults: (path: string, item: T) => Fault[]): Fault[] {
  return items.flatMap((item, index) => faults(`${path}[${index}]`, item))
}

const protocols = ['TCP', 'UDP', 'SCTP']

function portFaults(path: string, { protocol, port, endPort }: NetworkPolicyPort): Fault[] {
  const faults: Fault[] = []
  if (protocol !== undefined && !protocols.includes(protocol)) {
    faults.push(notSupported(`${path}.protocol`, protocol, protocols))
  }
  const at = `${path}.endPort`
  if (port === undefined) {
    if (endPort !== undefined) {
      faults.push(invalidValue(at, endPort, 'may not be specified when `port` is not specified'))
    }
    return faults
  }
  if (endPort !== undefined && typeof port === 'string') {
    faults.push(invalidValue(at, endPort, 'may not be specified when `port` is non-numeric'))
  }
  faults.push(...portNumberOrName(`${path}.port`, port))
  if (endPort !== undefined && typeof port === 'number') {
    if (endPort < port) faults.push(invalidValue(at, endPort, 'must be greater than or equal to `port`'))
    faults.push(...portNumber(endPort).map((text) => invalidValue(at, endPort, text)))
  }
  return faults
}

function peerFaults(path: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): Fault[] {
  const faults = [
    ...validateLabelSelector(`${path}.podSelector`, podSelector),
    ...validateLabelSelector(`${path}.namespaceSelector`, namespaceSelector),
    ...(ipBlock ? blockFaults(`${path}.ipBlock`, ipBlock) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) faults.push(required(path, 'must specify a peer'))
  if (ipBlock && (podSelector || namespaceSelector)) {
    faults.push(forbiddenField(path, 'may not specify both ipBlock and another peer'))
  }
  return faults
}

function blockFaults(path: string, block: IPBlock): Fault[] {
  if (!block.cidr) return [required(`${path}.cidr`)]
  const wrong = cidr(`${path}.cidr`, block.cidr)
  if (wrong.length > 0) return wrong
  return each(`${path}.except`, block.except ?? [], (at, except) => {
    const faults = cidr(at, except)
    if (faults.length > 0 || isStrictSubset(except, block.cidr)) return faults
    return [invalidValue(at, except, 'must be a strict subset of `cidr`')]
  })
}

function isStrictSubset(narrow: string, wide: string): boolean {
  const [address, bits] = partsOf(narrow)
  const [network, networkBits] = partsOf(wide)
  if (isIP(address) !== isIP(network) || bits <= networkBits) return false
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  const block = new BlockList()
  block.addSubnet(network, networkBits, family)
  return block.check(address, family)
}

function partsOf(text: string): [address: string, bits: number] {
  const [address = '', bits = ''] = text.split('/')
  return [address, Number(bits)]
}
