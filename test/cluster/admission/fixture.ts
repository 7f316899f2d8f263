import type { KubeObject } from '../../../src/kube/index.ts'
import { notFound } from '../../../src/kube/index.ts'
import { type AdmissionContext, admissionSteps } from '../../../src/cluster/admission/index.ts'
import type { Admission, Admitter, Operation } from '../../../src/cluster/registry/admission.ts'
import { admit, mutate } from '../../../src/cluster/registry/parts.ts'
import type { Reader, Writer } from '../../../src/cluster/registry/reader.ts'
import type { ResourceDefinition } from '../../../src/cluster/registry/resource.ts'

/** Objects in memory behind the registry's own contracts. */
export class Objects implements Reader, Writer {
  readonly #objects = new Map<string, KubeObject>()
  #version = 0

  put(resource: string, object: object): void {
    const kube = object as KubeObject
    this.#objects.set(key(resource, kube.metadata.namespace, kube.metadata.name ?? ''), kube)
    this.#version++
  }

  remove(resource: string, namespace: string | undefined, name: string): void {
    this.#objects.delete(key(resource, namespace, name))
    this.#version++
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(key(resource, namespace, name))
  }

  *list(resource: string, namespace?: string): Iterable<KubeObject> {
    const prefix = namespace === undefined ? `${resource}|` : `${resource}|${namespace}|`
    for (const [name, object] of this.#objects) if (name.startsWith(prefix)) yield object
  }

  count(resource: string, namespace?: string): number {
    return [...this.list(resource, namespace)].length
  }

  version(): number {
    return this.#version
  }

  async update(
    resource: string,
    namespace: string | undefined,
    name: string,
    change: (current: KubeObject) => KubeObject | undefined,
  ): Promise<KubeObject> {
    await Promise.resolve()
    const current = this.get(resource, namespace, name)
    if (current === undefined) throw notFound({ kind: resource, name })
    const next = change(current)
    if (next !== undefined) this.put(resource, next)
    return next ?? current
  }
}

function key(resource: string, namespace: string | undefined, name: string): string {
  return `${resource}|${namespace ?? ''}|${name}`
}

function definition(resource: string, kind: string, namespaced = true): ResourceDefinition {
  const [group = '', plural = ''] = resource.split('/')
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced,
    schema: {},
    hasStatus: true,
  }
}

export interface RequestOptions {
  readonly operation?: Operation
  readonly resource?: string
  readonly kind?: string
  readonly subresource?: string
  readonly dryRun?: boolean
  readonly user?: { name: string; groups: string[] }
  readonly old?: object
  readonly options?: Admission['options']
}

/** A cluster's admission over objects in memory. */
export function admissionOver(objects: Objects, context: Partial<AdmissionContext> = {}) {
  const steps: readonly Admitter[] = admissionSteps({
    reader: objects,
    writer: objects,
    now: () => Date.now(),
    authorize: () => ({ allowed: false, reason: '' }),
    findKind: (_group, kind) => ({ plural: `${kind.toLowerCase()}s`, namespaced: true }),
    servedVersions: (resource) => [resource],
    webhooks: { post: () => Promise.reject(new Error('no webhook is called here')) },
    ...context,
  })
  return {
    /** Runs every step on a copy and gives it back with the warnings; what a step refuses is thrown. */
    async admit(
      object: object,
      asked: RequestOptions = {},
    ): Promise<{ object: KubeObject; warnings: string[] }> {
      const copy = structuredClone(object) as KubeObject
      const warnings: string[] = []
      const operation = asked.operation ?? 'CREATE'
      const namespaced = copy.metadata?.namespace !== undefined
      const admission: Admission = {
        operation,
        request: {
          user: asked.user ?? { name: 'someone', groups: ['system:authenticated'] },
          verb: 'create',
          resource: definition(asked.resource ?? '/pods', asked.kind ?? 'Pod', namespaced),
          ...(asked.subresource && { subresource: asked.subresource }),
          ...(copy.metadata.namespace && { namespace: copy.metadata.namespace }),
          ...(operation !== 'CREATE' && copy.metadata.name && { name: copy.metadata.name }),
          dryRun: asked.dryRun ?? false,
          fieldManager: 'test',
          fieldValidation: 'Warn',
          signal: new AbortController().signal,
          warn: (text) => warnings.push(text),
        },
        ...(operation !== 'DELETE' && { object: copy }),
        ...(asked.old !== undefined && { oldObject: asked.old as KubeObject }),
        ...(asked.options !== undefined && { options: asked.options }),
      }
      await mutate({ admitters: steps }, admission)
      await admit({ admitters: steps }, admission)
      return { object: copy, warnings }
    },
  }
}

/** A namespace with its default service account. */
export function namespaceWith(name: string, labels: Record<string, string> = {}): Objects {
  const objects = new Objects()
  objects.put('/namespaces', {
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
    status: { phase: 'Active' },
  })
  objects.put('/serviceaccounts', { metadata: { name: 'default', namespace: name } })
  return objects
}

export function pod(name: string, namespace: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'c0', image: 'busybox' }], ...spec },
  } as KubeObject
}
