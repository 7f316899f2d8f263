import { badRequest, type KubeObject } from '../../../kube/index.ts'
import type { Registry, ResourceDefinition, ResourceRequest } from '../../registry/index.ts'
import type { PodRef } from '../../runtime/index.ts'

/** A pod that a stream is about, as stored now. */
export interface StreamPod {
  readonly ref: PodRef
  readonly object: KubeObject
  /** Empty while no node has it. */
  readonly nodeName: string
  readonly containers: readonly string[]
}

interface PodSpec {
  readonly nodeName?: string
  readonly containers?: readonly { readonly name: string }[]
  readonly initContainers?: readonly { readonly name: string }[]
  readonly ephemeralContainers?: readonly { readonly name: string }[]
}

/**
 * @throws {StatusError} `NotFound`.
 */
export function readPod(registry: Registry, request: ResourceRequest): StreamPod {
  const { value } = registry.get(request)
  // Pods are stored only after decoding and validation.
  const spec = (value['spec'] ?? {}) as PodSpec
  const { name = '', namespace = '', uid = '' } = value.metadata
  return {
    ref: { namespace, name, uid },
    object: value,
    nodeName: spec.nodeName ?? '',
    containers: [
      ...(spec.containers ?? []),
      ...(spec.initContainers ?? []),
      ...(spec.ephemeralContainers ?? []),
    ].map((one) => one.name),
  }
}

/** @throws {StatusError} `BadRequest` when no node has the pod. */
export function checkPlaced({ nodeName, ref }: StreamPod): void {
  if (nodeName === '') throw badRequest(`pod ${ref.name} does not have a host assigned`)
}

/**
 * The container meant: the one named, else the annotated default, else the only one.
 *
 * @throws {StatusError} `BadRequest` when the name is wrong or several could be meant.
 */
export function chooseContainer(pod: StreamPod, named: string | undefined): string {
  const spec = (pod.object['spec'] ?? {}) as PodSpec
  const main = (spec.containers ?? []).map((one) => one.name)
  if (named) {
    if (pod.containers.includes(named)) return named
    throw badRequest(`container ${named} is not valid for pod ${pod.ref.name}`)
  }
  const annotated = pod.object.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (annotated && main.includes(annotated)) return annotated
  const [first] = main
  if (first !== undefined && main.length === 1) return first
  const inits = (spec.initContainers ?? []).map((one) => one.name)
  const list = main.join(' ')
  const others = inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : ''
  throw badRequest(
    `a container name must be specified for pod ${pod.ref.name}, choose one of: [${list}]${others}`,
  )
}

/** The request for the pod itself that a stream's request implies. */
export function podRequest(
  resource: ResourceDefinition,
  from: Pick<ResourceRequest, 'user' | 'namespace' | 'name' | 'signal'> & { readonly subresource: string },
): ResourceRequest {
  return {
    ...from,
    verb: 'get',
    resource,
    dryRun: false,
    fieldManager: 'unknown',
    fieldValidation: 'Ignore',
    warn: () => undefined,
  }
}
