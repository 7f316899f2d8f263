import type { Container, Persisted, Pod } from '../../../kube/index.ts'
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
