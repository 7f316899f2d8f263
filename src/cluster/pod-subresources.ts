import {
  badRequest,
  conflict,
  extended,
  type KubeObject,
  type StatusError,
  timestamp,
} from '../kube/index.ts'
import { evictionRefusal } from './eviction.ts'
import {
  plainFailure,
  type Reader,
  type Registry,
  type ResourceDefinition,
  type ResourceRequest,
  type Subresource,
  typed,
  type VirtualResource,
  type Writer,
} from './registry/index.ts'
import { schemaFor } from './registry/schema/index.ts'

export interface PodSubresourceParts {
  readonly registry: Registry
  readonly reader: Reader
  readonly writer: Writer
  /** Milliseconds since the epoch. */
  now(): number
}

/** Subresources of pods with behaviour of their own: `binding`, `eviction`. */
export function podSubresources(parts: PodSubresourceParts): Subresource[] {
  return [binding(parts), eviction(parts)]
}

/** `pods/binding`: gives a pod its node, once. */
function binding(parts: PodSubresourceParts): Subresource {
  return {
    group: '',
    parent: 'pods',
    name: 'binding',
    kind: 'Binding',
    namespaced: true,
    create: (body, request) => bind(parts, body, request),
  }
}

/** `bindings`: what `pods/binding` does, of the pod that the binding is named after. */
export function podBindings(
  parts: Pick<PodSubresourceParts, 'registry' | 'now'>,
  pods: () => ResourceDefinition,
): VirtualResource {
  return {
    group: '',
    version: 'v1',
    kind: 'Binding',
    plural: 'bindings',
    singular: 'binding',
    namespaced: true,
    schema: schemaFor('', 'v1', 'Binding'),
    async create(body, request) {
      // Decoded by the schema, which has metadata.
      const binding = body as unknown as KubeObject
      const { name, namespace } = binding.metadata ?? {}
      if (namespace !== undefined && namespace !== request.namespace)
        throw badRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        )
      if (!name) throw badRequest('name is required')
      return bind(parts, binding, { ...request, resource: pods(), subresource: 'binding', name })
    },
  }
}

async function bind(
  { registry, now }: Pick<PodSubresourceParts, 'registry' | 'now'>,
  body: KubeObject,
  request: ResourceRequest,
): Promise<KubeObject> {
  if (body.metadata?.name !== request.name)
    throw badRequest('name in URL does not match name in Binding object')
  const binding = { ...body, kind: 'Binding', apiVersion: 'v1' }
  await registry.admit(request, binding)
  const { name: node, kind } = targetOf(binding)
  const faults = targetFaults(node, kind)
  if (faults.length > 0) throw unclassified(faults)
  const { metadata } = binding
  const { uid } = metadata
  // Admission has seen the binding, which is what was asked for.
  await registry.update(
    { ...request, isOwn: true },
    { ...(uid && { uid }), next: (pod) => bound(pod, node, request, metadata, new Date(now())) },
  )
  return success(201)
}

function bound(
  pod: KubeObject,
  node: string,
  request: ResourceRequest,
  extra: Pick<KubeObject['metadata'], 'annotations' | 'labels'>,
  at: Date,
): KubeObject {
  const what = { kind: 'pods/binding', name: request.name ?? '' }
  // A pod was held against its schema when it was written.
  const spec = (pod['spec'] ?? {}) as { nodeName?: string; schedulingGates?: unknown[] }
  // Where it is now is no longer where it might go.
  const { nominatedNodeName: _before, ...status } = (pod['status'] ?? {}) as {
    conditions?: { type: string }[]
    nominatedNodeName?: string
  }
  if (pod.metadata.deletionTimestamp)
    throw conflict(what, `pod ${request.name ?? ''} is being deleted, cannot be assigned to a host`)
  if (spec.nodeName)
    throw conflict(
      what,
      `pod ${request.name ?? ''} is already assigned to node ${JSON.stringify(spec.nodeName)}`,
    )
  if ((spec.schedulingGates?.length ?? 0) > 0)
    throw conflict(what, `pod ${request.name ?? ''} has non-empty .spec.schedulingGates`)
  const conditions = (status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(at),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
  const { annotations, labels } = pod.metadata
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(extra.annotations && { annotations: { ...annotations, ...extra.annotations } }),
      ...(extra.labels && { labels: { ...labels, ...extra.labels } }),
    },
    spec: extended(spec, { nodeName: node }),
    status: extended(status, { conditions: [...conditions, scheduled] }),
  }
}

/** Kubernetes sends these faults bare, as an error of no known reason. */
function unclassified(faults: readonly string[]): StatusError {
  return plainFailure(faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`)
}

function targetFaults(node: string, kind: string): string[] {
  const faults: string[] = []
  if (kind !== '' && kind !== 'Node')
    faults.push(
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    )
  if (node === '') faults.push('target.name: Required value')
  return faults
}

function targetOf(body: KubeObject): { name: string; kind: string } {
  const target = (body['target'] ?? {}) as { name?: string; kind?: string }
  return { name: target.name ?? '', kind: target.kind ?? '' }
}

/** `pods/eviction`: a delete that respects disruption budgets. */
function eviction({ registry, reader, writer, now }: PodSubresourceParts): Subresource {
  return {
    group: '',
    parent: 'pods',
    name: 'eviction',
    kind: 'Eviction',
    bodyGroup: 'policy',
    bodyVersion: 'v1',
    namespaced: true,
    async create(body, request) {
      if (body.metadata?.name !== request.name)
        throw badRequest(`name in URL does not match name in Eviction object`)
      const options = (body['deleteOptions'] ?? {}) as {
        gracePeriodSeconds?: number
        preconditions?: { uid?: string }
        dryRun?: string[]
      }
      const dryRun = request.dryRun || (options.dryRun ?? []).includes('All')
      await registry.admit({ ...request, dryRun }, body)
      const pod = typed(request.resource, registry.get(request).value)
      const refusal = await evictionRefusal(pod, { reader, writer, now, dryRun })
      if (refusal) throw refusal
      if (!dryRun) await markEvicted(pod, { writer, now, uid: options.preconditions?.uid })
      const { subresource: _subresource, ...whole } = request
      await registry.delete(
        // Admission has seen the eviction, which is what was asked for.
        { ...whole, verb: 'delete', dryRun, isOwn: true },
        {
          ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
          preconditions: { ...options.preconditions, ...(pod.metadata.uid && { uid: pod.metadata.uid }) },
        },
      )
      return success(201)
    },
  }
}

/** Whoever counts on the pod's end can tell that it did not fail by itself. */
async function markEvicted(
  pod: KubeObject,
  { writer, now, uid }: Pick<PodSubresourceParts, 'writer' | 'now'> & { readonly uid: string | undefined },
): Promise<void> {
  const { name = '', namespace } = pod.metadata
  await writer.update('/pods', namespace, name, (current) => {
    const found = current.metadata.uid ?? ''
    if (uid !== undefined && uid !== found) {
      throw conflict(
        { kind: 'Pod', name },
        `the UID in the precondition (${uid}) does not match the UID in record (${found}). The object might have been deleted and then recreated`,
      )
    }
    const status = (current['status'] ?? {}) as { conditions?: { type: string; status?: string }[] }
    const { generation } = current.metadata
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastProbeTime: null,
      lastTransitionTime: timestamp(new Date(now())),
      ...(generation !== undefined && { observedGeneration: generation }),
    }
    const others = (status.conditions ?? []).filter(({ type }) => type !== condition.type)
    return { ...current, status: { ...status, conditions: [...others, condition] } }
  })
}

function success(code: number): KubeObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code }
}
