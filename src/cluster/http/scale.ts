import { invalid, type KubeObject } from '../../kube/index.ts'
import {
  type Encoded,
  invalidValue,
  type ResourceDefinition,
  type ResourceRequest,
} from '../registry/index.ts'
import type { Change } from '../registry/update.ts'
import { patchChange, patchKindOf } from './patching.ts'

/** `autoscaling/v1 Scale` of an object, through the paths of its definition. */
export function readScale(resource: ResourceDefinition, object: Encoded): KubeObject {
  const {
    name = '',
    namespace,
    uid = '',
    resourceVersion = '',
    creationTimestamp = '',
  } = object.value.metadata
  const paths = resource.scale
  const spec = numberAt(object.value, paths?.specReplicasPath)
  const status = numberAt(object.value, paths?.statusReplicasPath)
  const selector = paths?.labelSelectorPath ? valueAt(object.value, paths.labelSelectorPath) : undefined
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: spec === undefined ? {} : { replicas: spec },
    status: { replicas: status ?? 0, ...(typeof selector === 'string' && { selector }) },
  }
}

/** The change of the object that a replaced or patched scale asks for. */
export function scaleChange(
  resource: ResourceDefinition,
  request: ResourceRequest,
  text: string,
  contentType: string | undefined,
  now: () => number,
): Change {
  return {
    async next(current) {
      const scale = readScale(resource, { value: current, json: '' })
      const wanted =
        request.verb === 'patch'
          ? await patchChange(
              patchKindOf(contentType, resource),
              text,
              request,
              { ...request, namedManager: undefined, force: false },
              now,
            ).next(scale)
          : parseScale(text)
      const version = wanted.metadata.resourceVersion
      if (version) current.metadata.resourceVersion = version
      const replicas = numberAt(wanted, '.spec.replicas') ?? 0
      if (!Number.isSafeInteger(replicas) || replicas < 0)
        throw invalid({ kind: 'Scale', group: 'autoscaling', name: request.name ?? '' }, [
          invalidValue('spec.replicas', replicas, 'should be a non-negative integer'),
        ])
      setAt(current, resource.scale?.specReplicasPath ?? '', replicas)
      return current
    },
  }
}

function parseScale(text: string): KubeObject {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return { metadata: {} }
  // Only numbers and the version are read from it, each with a check.
  return value as KubeObject
}

function segments(path: string): string[] {
  return path.split('.').filter((segment) => segment !== '')
}

function valueAt(object: unknown, path: string): unknown {
  let value: unknown = object
  for (const segment of segments(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    value = Reflect.get(value, segment)
  }
  return value
}

function numberAt(object: unknown, path: string | undefined): number | undefined {
  const value = path === undefined ? undefined : valueAt(object, path)
  return typeof value === 'number' ? value : undefined
}

function setAt(object: KubeObject, path: string, value: number): void {
  const names = segments(path)
  const last = names.pop()
  let place: object = object
  for (const name of names) {
    const next: unknown = Object.hasOwn(place, name) ? Reflect.get(place, name) : undefined
    if (typeof next === 'object' && next !== null) place = next
    else {
      const made = {}
      Reflect.set(place, name, made)
      place = made
    }
  }
  if (last) Reflect.set(place, last, value)
}
