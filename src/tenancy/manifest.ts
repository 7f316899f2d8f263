import type { KubeObject, ResourceType } from '../kube/index.ts'

/** What the server adds to each object, and takes from nobody. */
const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]
const generatedLabels = [
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
]

/** An object as it may be created again: without its status and what the server wrote into it. */
export function manifestOf(type: ResourceType, object: KubeObject): unknown {
  const { status: _status, ...copy }: Record<string, unknown> = structuredClone({ ...object })
  const metadata = field(copy, 'metadata')
  for (const name of serverFields) drop(metadata, name)
  const spec = field(copy, 'spec')
  if (type.kind === 'Job' && field(spec, 'manualSelector') !== true) {
    drop(spec, 'selector')
    for (const holder of [metadata, field(field(spec, 'template'), 'metadata')]) {
      for (const label of generatedLabels) drop(field(holder, 'labels'), label)
    }
  }
  if (type.kind === 'Pod') letBePlacedAnew(spec)
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
  return { apiVersion, kind: type.kind, ...copy }
}

/** The node and the token's volume were given to the pod on its way in, and are given to the next one too. */
function letBePlacedAnew(spec: unknown): void {
  drop(spec, 'nodeName')
  const isToken = (each: unknown): boolean => String(field(each, 'name')).startsWith('kube-api-access-')
  without(spec, 'volumes', isToken)
  for (const list of ['containers', 'initContainers']) {
    const containers = field(spec, list)
    for (const container of Array.isArray(containers) ? containers : []) {
      without(container, 'volumeMounts', isToken)
    }
  }
}

function without(value: unknown, name: string, isUnwanted: (each: unknown) => boolean): void {
  const list = field(value, name)
  if (typeof value !== 'object' || value === null || !Array.isArray(list)) return
  Reflect.set(
    value,
    name,
    list.filter((each) => !isUnwanted(each)),
  )
}

function drop(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) Reflect.deleteProperty(value, name)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
