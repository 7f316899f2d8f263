import type { Admission } from '../registry/index.ts'
import type { Container, Pod } from '../../kube/index.ts'

/** The pod a request creates or changes; undefined for every other resource and for subresources. */
export function podOf(admission: Admission, subresource?: string): Pod | undefined {
  const { request, object } = admission
  const { group, plural } = request.resource
  if (plural !== 'pods' || group !== '' || request.subresource !== subresource) return undefined
  return object === undefined ? undefined : asPod(object)
}

/** The object read as a pod: the registry has decoded it by the schema of pods before. */
function asPod(object: object): Pod {
  return object as Pod
}

/** Every container with the path of its field, init containers first, as Kubernetes visits them. */
export function* containersOf(pod: Pod): Generator<Container> {
  yield* pod.spec?.initContainers ?? []
  yield* pod.spec?.containers ?? []
}
