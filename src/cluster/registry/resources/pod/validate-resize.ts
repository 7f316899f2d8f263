import type { Container, Pod, PodSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue } from '../../faults.ts'
import { same } from '../../validation/equality.ts'
import type { Of } from '../define.ts'
import { qosClass } from './requests.ts'

type Resources = NonNullable<Container['resources']>

/** What a resize may change: how much CPU and memory containers ask for and may use, within the pod's class. */
export function validatePodResize(pod: Of<Pod>, old: Of<Pod>): Fault[] {
  const [spec, before] = [pod.spec ?? { containers: [] }, old.spec ?? { containers: [] }]
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return [forbiddenField('', 'static pods cannot be resized')]
  if (before.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')]
  if (isLimitedAsAWhole(before))
    return [forbiddenField('', 'pods with pod-level resources cannot be resized')]
  const faults: Fault[] = []
  const now = qosClass(pod)
  if (now !== (old.status?.qosClass ?? qosClass(old)))
    faults.push(invalidValue('spec', now, 'Pod QOS Class may not change as a result of resizing'))
  if (!isSupported(old)) faults.push(forbiddenField('spec', 'Pod running on node without support for resize'))
  const order = [...orderFaults('containers', spec, before), ...orderFaults('initContainers', spec, before)]
  if (order.length > 0) return [...faults, ...order]
  for (const field of ['initContainers', 'containers'] as const) {
    const list = spec[field] ?? []
    for (const [index, container] of (before[field] ?? []).entries())
      faults.push(...removalFaults(`spec.${field}[${index}].resources`, list[index], container))
  }
  for (const [index, container] of before.containers.entries())
    if (!same(evenedOut(spec.containers[index] ?? container, container), container))
      faults.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
  for (const [index, container] of (before.initContainers ?? []).entries())
    faults.push(...initFaults(`spec.initContainers[${index}]`, spec.initContainers?.[index], container))
  return faults
}

function isLimitedAsAWhole(spec: PodSpec & { resources?: Resources }): boolean {
  return Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0
}

/** Nodes that can do it say of every running container what is in force. */
function isSupported({ status }: Of<Pod>): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running)
  return running === undefined || running.resources !== undefined
}

function orderFaults(field: 'containers' | 'initContainers', spec: PodSpec, before: PodSpec): Fault[] {
  const [now, then] = [spec[field] ?? [], before[field] ?? []]
  if (now.length !== then.length)
    return [forbiddenField(`spec.${field}`, `${field} may not be added or removed on resize`)]
  return then.flatMap(({ name }, index) =>
    now[index]?.name === name
      ? []
      : [
          forbiddenField(
            `spec.${field}[${index}].name`,
            `${field} may not be renamed or reordered on resize`,
          ),
        ],
  )
}

function removalFaults(path: string, container: Container | undefined, before: Container): Fault[] {
  return (['requests', 'limits'] as const).flatMap((side) => {
    const now = container?.resources?.[side] ?? {}
    const isRemoved = Object.keys(before.resources?.[side] ?? {}).some((name) => !Object.hasOwn(now, name))
    return isRemoved ? [forbiddenField(`${path}.${side}`, `resource ${side} cannot be removed`)] : []
  })
}

function initFaults(path: string, container: Container | undefined, before: Container): Fault[] {
  if (!container || same(container, before)) return []
  const faults: Fault[] = []
  if (!same(evenedOut(container, before), before))
    faults.push(
      forbiddenField(path, 'only cpu and memory resources for init or sidecar containers are mutable'),
    )
  const isRestarted = container.resizePolicy?.some(
    ({ restartPolicy }) => restartPolicy === 'RestartContainer',
  )
  if (container.restartPolicy !== 'Always' && isRestarted)
    faults.push(
      forbiddenField(
        path,
        'non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
      ),
    )
  return faults
}

/** The container with the CPU and memory that it had. */
function evenedOut(container: Container, before: Container): Container {
  const even = (side: 'requests' | 'limits'): Record<string, string> | undefined => {
    const { cpu: _cpu, memory: _memory, ...others } = container.resources?.[side] ?? {}
    const { cpu, memory } = before.resources?.[side] ?? {}
    const all = { ...others, ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) }
    return Object.keys(all).length > 0 ? all : undefined
  }
  const [requests, limits] = [even('requests'), even('limits')]
  const { requests: _requests, limits: _limits, ...rest } = container.resources ?? {}
  return {
    ...container,
    resources: { ...rest, ...(limits && { limits }), ...(requests && { requests }) },
  }
}
