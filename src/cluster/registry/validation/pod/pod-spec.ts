import type { PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, optionalChoice, requiredChoice } from '../checks.ts'
import { validateAnnotations, validateLabels } from '../metadata.ts'
import { between, dnsSubdomain, qualifiedName } from '../names.ts'
import { resourceQuantity } from '../quantities.ts'
import { validateVolumes } from '../volumes.ts'
import {
  type Surroundings,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts'
import { validateDns, validateHostAliases, validateHostNetworkPorts, validateHostnames } from './network.ts'
import { validatePodResources } from './resources.ts'
import {
  validateAffinity,
  validateSchedulingGates,
  validateTolerations,
  validateTopologySpread,
} from './scheduling.ts'
import { validateHostUsers, validatePodSecurityContext } from './security.ts'

export const mostSeconds = 2 ** 31 - 1

interface Owner {
  /** Is it a pod itself, or a template of one? Templates are held to a little less. */
  readonly of: 'pod' | 'template'
  /** The pod's own, which decides about the names of claims made for it. */
  readonly podName?: string | undefined
}

/** Everything that can be wrong with the spec of a pod, in the order in which Kubernetes looks. */
export function validatePodSpec(path: string, spec: PodSpec, { of, podName }: Owner): Fault[] {
  const { containers = [], initContainers = [], ephemeralContainers = [], resourceClaims = [] } = spec
  const { faults, valid } = validateVolumes(`${path}.volumes`, spec.volumes ?? [], { of, podName })
  const surroundings: Surroundings = {
    volumes: valid,
    claimNames: new Set(resourceClaims.map(({ name }) => name)),
    graceSeconds: spec.terminationGracePeriodSeconds,
    restartPolicy: spec.restartPolicy,
    hasHostUsers: spec.hostUsers !== false,
  }
  if (spec.terminationGracePeriodSeconds === undefined) {
    faults.unshift(required(`${path}.terminationGracePeriodSeconds`))
  }
  return [
    ...faults,
    ...validateContainers(`${path}.containers`, containers, surroundings),
    ...validateInitContainers(`${path}.initContainers`, initContainers, containers, surroundings),
    ...validateEphemeralContainers(
      `${path}.ephemeralContainers`,
      ephemeralContainers,
      [...containers, ...initContainers],
      surroundings,
    ),
    ...validatePodResources(`${path}.resources`, spec),
    ...(spec.hostNetwork ? validateHostNetworkPorts(`${path}.containers`, containers, of) : []),
    ...requiredChoice(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...requiredChoice(`${path}.dnsPolicy`, spec.dnsPolicy, [
      'ClusterFirstWithHostNet',
      'ClusterFirst',
      'Default',
      'None',
    ]),
    ...validateLabels(spec.nodeSelector ?? {}, `${path}.nodeSelector`),
    ...validatePodSecurityContext(`${path}.securityContext`, spec.securityContext, spec),
    ...validateAffinity(`${path}.affinity`, spec.affinity),
    ...validateDns(`${path}.dnsConfig`, spec.dnsConfig, spec.dnsPolicy),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      checked(`${path}.readinessGates[${index}].conditionType`, conditionType, qualifiedName),
    ),
    ...validateSchedulingGates(`${path}.schedulingGates`, spec.schedulingGates ?? []),
    ...validateTopologySpread(`${path}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []),
    ...validateHostUsers(path, spec),
    ...nameFaults(path, spec, ['serviceAccountName', 'nodeName']),
    ...deadlineFaults(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...validateHostnames(path, spec),
    ...validateTolerations(`${path}.tolerations`, spec.tolerations ?? []),
    ...validateHostAliases(`${path}.hostAliases`, spec.hostAliases ?? []),
    ...nameFaults(path, spec, ['priorityClassName', 'runtimeClassName']),
    ...optionalChoice(`${path}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']),
    ...Object.entries(spec.overhead ?? {}).flatMap(([name, amount]) =>
      resourceQuantity(name, amount, `${path}.overhead[${name}]`),
    ),
    ...systemFaults(path, spec),
  ]
}

function nameFaults(
  path: string,
  spec: PodSpec,
  fields: readonly ('serviceAccountName' | 'nodeName' | 'priorityClassName' | 'runtimeClassName')[],
): Fault[] {
  return fields.flatMap((field) => {
    const name = spec[field]
    return name ? checked(`${path}.${field}`, name, dnsSubdomain) : []
  })
}

function deadlineFaults(path: string, seconds: number | undefined): Fault[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= mostSeconds)) return []
  return [invalidValue(path, seconds, between(1, mostSeconds))]
}

const systems = ['linux', 'windows']

function systemFaults(path: string, spec: PodSpec): Fault[] {
  const { os, securityContext, containers = [], initContainers = [] } = spec
  if (!os) return []
  if (!os.name) return [required(`${path}.os.name`, 'cannot be empty')]
  if (!systems.includes(os.name)) return [notSupported(`${path}.os`, os.name, systems)]
  if (os.name !== 'linux') return []
  const contexts: [at: string, context: { windowsOptions?: unknown } | undefined][] = [
    [path, securityContext],
    ...initContainers.map((container, index): (typeof contexts)[number] => [
      `${path}.initContainers[${index}]`,
      container.securityContext,
    ]),
    ...containers.map((container, index): (typeof contexts)[number] => [
      `${path}.containers[${index}]`,
      container.securityContext,
    ]),
  ]
  return contexts.flatMap(([at, context]) =>
    context?.windowsOptions
      ? [
          forbiddenField(
            `${at}.securityContext.windowsOptions`,
            'windows options cannot be set for a linux pod',
          ),
        ]
      : [],
  )
}

/** Everything that can be wrong with a template from which a controller makes pods. */
export function validatePodTemplate(path: string, template: PodTemplateSpec): Fault[] {
  const { metadata, spec = { containers: [] } } = template
  const faults = [
    ...validateLabels(metadata?.labels ?? {}, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations ?? {}, `${path}.annotations`),
    ...validatePodAnnotations(`${path}.annotations`, metadata?.annotations ?? {}),
    ...validatePodSpec(`${path}.spec`, spec, { of: 'template' }),
  ]
  if (spec.ephemeralContainers?.length) {
    faults.push(
      forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'),
    )
  }
  return faults
}

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'

/** Annotations that mean something to Kubernetes itself. */
export function validatePodAnnotations(path: string, annotations: Readonly<Record<string, string>>): Fault[] {
  const cost = annotations[deletionCost]
  if (cost === undefined) return []
  const isWhole = /^(0|-?[1-9]\d*)$/.test(cost) && Math.abs(Number(cost)) <= mostSeconds
  return isWhole ? [] : [invalidValue(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer')]
}
