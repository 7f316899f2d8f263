import type { Node, Taint } from 'kubernetes-types/core/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, notSupported, required } from '../faults.ts'
import { checked, cidr } from '../validation/checks.ts'
import { same } from '../validation/equality.ts'
import { labelText, qualifiedName } from '../validation/names.ts'
import { resourceQuantity } from '../validation/quantities.ts'
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { define, type Of } from './define.ts'

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const rolePrefix = 'node-role.kubernetes.io/'
const addressText =
  "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP)."

export const nodes = define<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  shortNames: ['no'],
  hasStatus: true,
  keepsStatusOnCreate: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= {}
    fillStatus(object)
  },
  prepareForCreate(object) {
    object.status ??= {}
    fillStatus(object)
  },
  validate: (object) => [
    ...taintFaults(object.spec?.taints ?? []),
    ...amountFaults(object),
    ...networkFaults(object),
  ],
  validateUpdate(object, old) {
    const [spec, before] = [object.spec ?? {}, old.spec ?? {}]
    const faults: Fault[] = []
    if (before.podCIDRs?.length && !same(spec.podCIDRs, before.podCIDRs)) {
      faults.push(
        forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'),
      )
    }
    if (before.providerID && spec.providerID !== before.providerID) {
      faults.push(
        forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'),
      )
    }
    if ((spec.externalID ?? '') !== (before.externalID ?? '')) {
      faults.push(forbiddenField('spec.externalID', 'may not be updated'))
    }
    return faults
  },
  validateStatus(object) {
    const faults = amountFaults(object)
    const seen = new Set<string>()
    for (const [index, { address, type }] of (object.status?.addresses ?? []).entries()) {
      const key = `${type}/${address}`
      if (seen.has(key)) {
        faults.push(duplicate(`status.addresses[${index}]`, { Type: type, Address: address }))
      }
      seen.add(key)
    }
    return faults
  },
  selectableFields: {
    'spec.unschedulable': (object) => String(object.spec?.unschedulable ?? false),
  },
  columns: [
    nameColumn,
    column('Status', 'The status of the node', statusText),
    column('Roles', 'The roles of the node', rolesText),
    ageColumn,
    column(
      'Version',
      'Kubelet Version reported by the node.',
      (object) => object.status?.nodeInfo?.kubeletVersion ?? '',
    ),
    wideColumn('Internal-IP', addressText, (object) => addressOf(object, 'InternalIP')),
    wideColumn('External-IP', addressText, (object) => addressOf(object, 'ExternalIP')),
    wideColumn(
      'OS-Image',
      'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).',
      (object) => object.status?.nodeInfo?.osImage || '<unknown>',
    ),
    wideColumn(
      'Kernel-Version',
      "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
      (object) => object.status?.nodeInfo?.kernelVersion || '<unknown>',
    ),
    wideColumn(
      'Container-Runtime',
      'ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).',
      (object) => object.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    ),
  ],
})

/** Structures that every node has, whatever its agent has said so far. */
function fillStatus(node: Of<Node>): void {
  const { status } = node
  if (status === undefined) return
  if (status.allocatable === undefined && status.capacity) status.allocatable = { ...status.capacity }
  status.daemonEndpoints ??= { kubeletEndpoint: { Port: 0 } }
  status.nodeInfo ??= {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    containerRuntimeVersion: '',
    kubeletVersion: '',
    kubeProxyVersion: '',
    operatingSystem: '',
    architecture: '',
  }
}

/** Faults of taints; Kubernetes notes them under metadata. */
function amountFaults({ status }: Of<Node>): Fault[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, amount]) =>
      resourceQuantity(name, amount, `status.${field}.${name}`),
    ),
  )
}

function taintFaults(taints: readonly Taint[]): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, taint] of taints.entries()) {
    const path = `metadata.taints[${index}]`
    const { key = '', value = '', effect } = taint ?? {}
    faults.push(...checked(`${path}.key`, key, qualifiedName))
    const valueTexts = labelText(value)
    if (valueTexts.length > 0) {
      faults.push(invalidValue(`${path}.value`, value, valueTexts.join(';')))
    }
    if (!effect) faults.push(required(`${path}.effect`))
    else if (!taintEffects.includes(effect)) {
      faults.push(notSupported(`${path}.effect`, effect, taintEffects))
    }
    const identity = `${key}:${effect}`
    if (seen.has(identity)) {
      const shown = { Key: key, Value: value, Effect: effect, TimeAdded: taint.timeAdded ?? null }
      const fault = duplicate(path, shown)
      faults.push({
        ...fault,
        message: `${fault.message}: taints must be unique by key and effect pair`,
      })
    }
    seen.add(identity)
  }
  return faults
}

function networkFaults(node: Of<Node>): Fault[] {
  const ranges = node.spec?.podCIDRs ?? []
  const path = 'spec.podCIDRs'
  const faults = ranges.flatMap((range, index) => cidr(`${path}[${index}]`, range))
  const families = new Set(ranges.map((range) => (range.includes(':') ? 6 : 4)))
  if (ranges.length > 1 && families.size !== ranges.length) {
    faults.push(invalidValue(path, ranges, 'may specify no more than one CIDR for each IP family'))
  }
  return faults
}

function statusText(node: Of<Node>): string {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (node.spec?.unschedulable) words.push('SchedulingDisabled')
  return words.join(',')
}

function rolesText(node: Of<Node>): string {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) {
      roles.add(key.slice(rolePrefix.length))
    }
    if (key === 'kubernetes.io/role' && value) roles.add(value)
  }
  return roles.size === 0 ? '<none>' : [...roles].sort().join(',')
}

function addressOf(node: Of<Node>, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>'
}
