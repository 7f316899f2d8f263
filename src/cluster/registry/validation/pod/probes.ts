import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { checked, notNegative, portNumberOrName } from '../checks.ts'
import { httpHeaderName } from '../names.ts'

interface Handler extends LifecycleHandler {
  readonly grpc?: { port: number }
}

export function validateLifecycle(
  path: string,
  lifecycle: Lifecycle | undefined,
  graceSeconds: number | undefined,
): Fault[] {
  const { postStart, preStop } = lifecycle ?? {}
  return [
    ...(postStart ? handlerFaults(`${path}.postStart`, postStart, graceSeconds) : []),
    ...(preStop ? handlerFaults(`${path}.preStop`, preStop, graceSeconds) : []),
  ]
}

interface Probes {
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
}

export function validateProbes(
  path: string,
  { livenessProbe, readinessProbe, startupProbe }: Probes,
): Fault[] {
  const faults: Fault[] = []
  if (livenessProbe) faults.push(...decidingProbe(`${path}.livenessProbe`, livenessProbe))
  if (readinessProbe) {
    const at = `${path}.readinessProbe`
    faults.push(...probeFaults(at, readinessProbe))
    const grace = readinessProbe.terminationGracePeriodSeconds
    if (grace !== undefined) {
      faults.push(
        invalidValue(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'),
      )
    }
  }
  if (startupProbe) faults.push(...decidingProbe(`${path}.startupProbe`, startupProbe))
  return faults
}

/** A probe whose single success is enough. */
function decidingProbe(path: string, probe: Probe): Fault[] {
  const faults = probeFaults(path, probe)
  if (probe.successThreshold !== 1) {
    faults.push(invalidValue(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  }
  return faults
}

const counts = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function probeFaults(path: string, probe: Probe): Fault[] {
  const faults = handlerFaults(path, probe, undefined)
  for (const field of counts) faults.push(...notNegative(`${path}.${field}`, probe[field]))
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) {
    faults.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  }
  return faults
}

/** Exactly one way of asking a container, or of telling it something. */
function handlerFaults(path: string, handler: Handler, graceSeconds: number | undefined): Fault[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  const checks: [name: string, check: (() => Fault[]) | undefined][] = [
    ['exec', exec && (() => (exec.command?.length ? [] : [required(`${path}.exec.command`)]))],
    ['httpGet', httpGet && (() => getFaults(`${path}.httpGet`, httpGet))],
    ['tcpSocket', tcpSocket && (() => portNumberOrName(`${path}.tcpSocket.port`, tcpSocket.port))],
    ['grpc', grpc && (() => portNumberOrName(`${path}.grpc.port`, grpc.port))],
    ['sleep', sleep && (() => sleepFaults(`${path}.sleep`, sleep.seconds, graceSeconds))],
  ]
  const faults: Fault[] = []
  let isFound = false
  for (const [name, check] of checks) {
    if (!check) continue
    if (isFound) faults.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type'))
    else faults.push(...check())
    isFound = true
  }
  return isFound ? faults : [required(path, 'must specify a handler type')]
}

function getFaults(path: string, get: HTTPGetAction): Fault[] {
  const faults = get.path ? [] : [required(`${path}.path`)]
  faults.push(...portNumberOrName(`${path}.port`, get.port))
  if (get.scheme !== 'HTTP' && get.scheme !== 'HTTPS') {
    faults.push(notSupported(`${path}.scheme`, get.scheme ?? '', ['HTTP', 'HTTPS']))
  }
  for (const { name } of get.httpHeaders ?? []) {
    faults.push(...checked(`${path}.httpHeaders`, name, httpHeaderName))
  }
  return faults
}

/** Without a valid grace period there is nothing to hold the sleep against; the period has a fault of its own then. */
function sleepFaults(path: string, seconds: number | undefined, graceSeconds: number | undefined): Fault[] {
  const length = seconds ?? 0
  if (graceSeconds === undefined || (length >= 0 && length <= graceSeconds)) return []
  return [
    invalidValue(
      path,
      length,
      `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
    ),
  ]
}
