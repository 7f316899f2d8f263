import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  Volume,
} from 'kubernetes-types/core/v1.js'
import {
  duplicate,
  type Fault,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../../faults.ts'
import { checked, optionalChoice, requiredChoice, tooMany } from '../checks.ts'
import { dnsLabel, portName, portNumber } from '../names.ts'
import { validateRequirements } from '../quantities.ts'
import { validateEnvironment, validateEnvironmentSources } from './environment.ts'
import { validateMounts } from './mounts.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateSecurityContext } from './security.ts'

/** What containers are held against: the pod around them. */
export interface Surroundings {
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claimNames: ReadonlySet<string>
  readonly graceSeconds: number | undefined
  readonly restartPolicy: string | undefined
  readonly hasHostUsers: boolean
}

export function validateContainers(
  path: string,
  containers: readonly Container[],
  pod: Surroundings,
): Fault[] {
  if (containers.length === 0) return [required(path)]
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`
    faults.push(...commonFaults(at, container, pod))
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    faults.push(...validateLifecycle(`${at}.lifecycle`, container.lifecycle, pod.graceSeconds))
    faults.push(...validateProbes(at, container))
    faults.push(...restartFaults(at, container))
  }
  return [...faults, ...hostPortConflicts(path, containers)]
}

export function validateInitContainers(
  path: string,
  containers: readonly Container[],
  regular: readonly Container[],
  pod: Surroundings,
): Fault[] {
  const faults: Fault[] = []
  const names = new Set(regular.map(({ name }) => name))
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`
    faults.push(...commonFaults(at, container, pod), ...restartFaults(at, container))
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name))
    if (container.name) names.add(container.name)
    faults.push(...hostPortConflicts(path, [container]))
    if (container.restartPolicy === 'Always') {
      faults.push(...validateLifecycle(`${at}.lifecycle`, container.lifecycle, pod.graceSeconds))
      faults.push(...validateProbes(at, container))
      continue
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (!container[field]) continue
      faults.push(
        forbiddenField(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
      )
    }
  }
  return faults
}

/** Containers for debugging: they serve nobody, so what serves others is refused. */
const notEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
] as const

export function validateEphemeralContainers(
  path: string,
  containers: readonly EphemeralContainer[],
  others: readonly Container[],
  pod: Surroundings,
): Fault[] {
  const faults: Fault[] = []
  const otherNames = new Set(others.map(({ name }) => name))
  const names = new Set(otherNames)
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`
    faults.push(...commonFaults(at, container, pod), ...imageSpaces(at, container))
    if (names.has(container.name)) faults.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    const target = container.targetContainerName
    if (target && !otherNames.has(target)) faults.push(notFoundValue(`${at}.targetContainerName`, target))
    for (const field of notEphemeral) {
      const value = container[field]
      if (value === undefined || Object.keys(value).length === 0) continue
      faults.push(forbiddenField(`${at}.${field}`, 'cannot be set for an Ephemeral Container'))
    }
    for (const [position, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (!mount[field]) continue
        faults.push(
          forbiddenField(
            `${at}.volumeMounts[${position}].${field}`,
            'cannot be set for an Ephemeral Container',
          ),
        )
      }
    }
  }
  return faults
}

/** Templates tolerate blanks around an image's name, pods do not. */
export function imageSpaces(path: string, { image = '' }: Pick<Container, 'image'>): Fault[] {
  return image.trim() === image
    ? []
    : [invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace')]
}

function commonFaults(path: string, container: Container, pod: Surroundings): Fault[] {
  const { volumeMounts, volumeDevices } = container
  return [
    ...(container.name ? checked(`${path}.name`, container.name, dnsLabel) : [required(`${path}.name`)]),
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...requiredChoice(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...(container.ports ? portFaults(`${path}.ports`, container.ports) : []),
    ...(container.env ? validateEnvironment(`${path}.env`, container.env) : []),
    ...(container.envFrom ? validateEnvironmentSources(`${path}.envFrom`, container.envFrom) : []),
    ...(volumeMounts || volumeDevices ? validateMounts(path, container, pod.volumes) : []),
    ...requiredChoice(`${path}.imagePullPolicy`, container.imagePullPolicy, [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
    ...validateRequirements(`${path}.resources`, container.resources),
    ...claimFaults(`${path}.resources.claims`, container.resources?.claims ?? [], pod.claimNames),
    ...resizeFaults(`${path}.resizePolicy`, container.resizePolicy ?? [], pod.restartPolicy),
    ...validateSecurityContext(`${path}.securityContext`, container.securityContext, pod.hasHostUsers),
  ]
}

const protocols = ['SCTP', 'TCP', 'UDP']

function portFaults(path: string, ports: readonly ContainerPort[]): Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, { name, containerPort, hostPort, protocol }] of ports.entries()) {
    const at = `${path}[${index}]`
    if (name) {
      const wrong = checked(`${at}.name`, name, portName)
      if (wrong.length > 0) faults.push(...wrong)
      else if (names.has(name)) faults.push(duplicate(`${at}.name`, name))
      else names.add(name)
    }
    if (!containerPort) faults.push(required(`${at}.containerPort`))
    else faults.push(...numberFaults(`${at}.containerPort`, containerPort))
    if (hostPort) faults.push(...numberFaults(`${at}.hostPort`, hostPort))
    faults.push(...requiredChoice(`${at}.protocol`, protocol, protocols))
  }
  return faults
}

const numberFaults = (path: string, port: number): Fault[] =>
  portNumber(port).map((text) => invalidValue(path, port, text))

/** A port of the node goes to one container only. */
function hostPortConflicts(path: string, containers: readonly Container[]): Fault[] {
  const faults: Fault[] = []
  const taken = new Set<string>()
  for (const [index, { ports = [] }] of containers.entries()) {
    for (const [position, { protocol, hostIP, hostPort }] of ports.entries()) {
      if (!hostPort) continue
      const place = `${protocol}/${hostIP ?? ''}/${hostPort}`
      if (taken.has(place)) {
        faults.push(duplicate(`${path}[${index}].ports[${position}].hostPort`, place))
      }
      taken.add(place)
    }
  }
  return faults
}

function claimFaults(path: string, claims: readonly { name: string }[], known: ReadonlySet<string>): Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, { name }] of claims.entries()) {
    const at = `${path}[${index}]`
    if (!name) faults.push(required(`${at}.name`))
    else if (names.has(name)) faults.push(duplicate(at, name))
    else if (!known.has(name)) faults.push(notFoundValue(`${at}.name`, name))
    names.add(name)
  }
  return faults
}

function resizeFaults(
  path: string,
  policies: readonly ContainerResizePolicy[],
  podRestartPolicy: string | undefined,
): Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, { resourceName, restartPolicy }] of policies.entries()) {
    if (names.has(resourceName)) faults.push(duplicate(`${path}[${index}]`, resourceName))
    names.add(resourceName)
    faults.push(...requiredChoice(path, resourceName, ['cpu', 'memory']))
    faults.push(...requiredChoice(path, restartPolicy, ['NotRequired', 'RestartContainer']))
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      faults.push(invalidValue(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    }
  }
  return faults
}

/** When a container restarts whatever its pod says; younger than the typed API this program is built with. */
interface RestartRules {
  restartPolicyRules?: {
    action?: string
    exitCodes?: { operator?: string; values?: number[] }
  }[]
}

function restartFaults(path: string, container: Container & RestartRules): Fault[] {
  const { restartPolicy, restartPolicyRules: rules } = container
  const faults = optionalChoice(`${path}.restartPolicy`, restartPolicy, ['Always', 'Never', 'OnFailure'])
  if (!rules?.length) return faults
  const at = `${path}.restartPolicyRules`
  if (restartPolicy === undefined) {
    faults.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  }
  if (rules.length > 20) faults.push(tooMany(at, rules.length, 20))
  for (const [index, { action = '', exitCodes }] of rules.entries()) {
    const place = `${at}[${index}]`
    if (action !== 'Restart' && action !== 'RestartAllContainers') {
      faults.push(notSupported(`${place}.action`, action, ['Restart', 'RestartAllContainers']))
    }
    if (!exitCodes) {
      faults.push(required(`${place}.exitCodes`, 'must be specified'))
      continue
    }
    faults.push(...requiredChoice(`${place}.exitCodes.operator`, exitCodes.operator, ['In', 'NotIn']))
    const count = exitCodes.values?.length ?? 0
    if (count > 255) faults.push(tooMany(`${place}.exitCodes.values`, count, 255))
  }
  return faults
}
