import {
  type Container,
  formatQuantity,
  type Persisted,
  type Pod,
  podLimits,
} from '../../../../kube/index.ts'
import type { ContainerKind } from './container-view.ts'

/** All containers of a pod in the order of their start, with the part that each plays. */
export function containersOf(pod: Persisted<Pod>): [ContainerKind, Container][] {
  const init = (pod.spec?.initContainers ?? []).map((manifest): [ContainerKind, Container] => [
    manifest.restartPolicy === 'Always' ? 'sidecar' : 'init',
    manifest,
  ])
  const main = (pod.spec?.containers ?? []).map((manifest): [ContainerKind, Container] => ['main', manifest])
  return [...init, ...main]
}

/** A container for debugging is in nobody's manifest as an image's author would know it: it runs a shell if it says nothing. */
const shell = ['sh']

/** Containers that were added to a pod to look at it, in the order in which they were. They hold nothing up. */
export function ephemeralContainersOf(pod: Persisted<Pod>): Container[] {
  return (pod.spec?.ephemeralContainers ?? []).map(
    ({ targetContainerName: _target, ...manifest }): Container => ({
      ...manifest,
      ...(!manifest.command?.length && !manifest.args?.length && { command: shell }),
      // They live on what the pod has: one that asked for nothing of its own must not get without measure.
      resources: { limits: sharedLimits(pod) },
    }),
  )
}

/** What the pod's containers may use together, of what each of them is limited in. */
function sharedLimits(pod: Persisted<Pod>): Record<string, string> {
  const containers = pod.spec?.containers ?? []
  const isLimited = (name: string): boolean =>
    containers.every(({ resources }) => resources?.limits?.[name] !== undefined)
  const limits = Object.entries(podLimits({ spec: { containers } }))
  return Object.fromEntries(
    limits
      .filter(([name]) => (name === 'cpu' || name === 'memory') && isLimited(name))
      .map(([name, amount]): [string, string] => [name, formatQuantity(amount)]),
  )
}
