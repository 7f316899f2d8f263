import {
  formatLabelSelector,
  invalid,
  type JsonObject,
  type KubeObject,
  labelSelectorOf,
} from '../../kube/index.ts'
import {
  type Change,
  checkName,
  type Encoded,
  invalidValue,
  type ResourceDefinition,
  type ResourceRequest,
} from '../registry/index.ts'
import { applyPatch, parsePatch, patchKind } from '../registry/patch/index.ts'
import { decodeBody, schemaFor } from '../registry/schema/index.ts'

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
    status: { replicas: status ?? 0, ...selectorIn(selector) },
  }
}

/** Custom kinds have it as text; built-in ones as a label selector or, the eldest, as plain labels. */
function selectorIn(value: unknown): { selector?: string } {
  if (typeof value === 'string') return { selector: value }
  if (typeof value !== 'object' || value === null) return {}
  const isWhole = Object.values(value).some((part) => typeof part === 'object')
  return { selector: formatLabelSelector(labelSelectorOf(isWhole ? value : { matchLabels: { ...value } })) }
}

/**
 * The change of the object that a replaced or patched scale asks for.
 *
 * @param body `force` is for server-side apply alone.
 * @throws {StatusError} for a body that is no scale or no patch.
 */
export async function scaleChange(
  resource: ResourceDefinition,
  request: ResourceRequest,
  body: { readonly text: string; readonly contentType: string; readonly force: boolean },
): Promise<Change> {
  const { wanted, isApplied } = await wantedScale(request, body)
  const asScale = (object: KubeObject): KubeObject => readScale(resource, { value: object, json: '' })
  return {
    managesFields: isApplied,
    view: {
      subresource: 'scale',
      of: asScale,
      apply: (object, scale) =>
        setAt(object, resource.scale?.specReplicasPath ?? '', numberAt(scale, '.spec.replicas') ?? 0),
    },
    next(current) {
      const scale = wanted(asScale(current))
      checkName(scale, request)
      const version = scale.metadata.resourceVersion
      if (version) current.metadata.resourceVersion = version
      const replicas = numberAt(scale, '.spec.replicas') ?? 0
      if (!Number.isSafeInteger(replicas) || replicas < 0)
        throw invalid({ kind: 'Scale', group: 'autoscaling', name: request.name ?? '' }, [
          invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ])
      const path = resource.scale?.specReplicasPath ?? ''
      if (isApplied) return applyReplicas(current, resource, request, { path, replicas, force: body.force })
      setAt(current, path, replicas)
      return current
    },
  }
}

/** Whoever applies a scale owns the number in the object itself, through its scale. */
function applyReplicas(
  current: KubeObject,
  resource: ResourceDefinition,
  request: ResourceRequest,
  { path, replicas, force }: { readonly path: string; readonly replicas: number; readonly force: boolean },
): KubeObject {
  const { kind = '', apiVersion = '', metadata } = current
  const config: KubeObject = { kind, apiVersion, metadata: { name: metadata.name ?? '' } }
  setAt(config, path, replicas)
  return applyPatch({ is: 'apply', value: config as unknown as JsonObject, faults: [] }, current, {
    resource,
    manager: request.fieldManager,
    subresource: 'scale',
    validation: request.fieldValidation,
    force,
    now: Date.now(),
  }).object
}

async function wantedScale(
  request: ResourceRequest,
  body: { readonly text: string; readonly contentType: string },
): Promise<{ wanted: (current: KubeObject) => KubeObject; isApplied: boolean }> {
  const target = {
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    schema: schemaFor('autoscaling', 'v1', 'Scale'),
    hasStatus: true,
  }
  const validation = request.fieldValidation
  if (request.verb === 'patch') {
    const patch = await parsePatch(patchKind(body.contentType, { isCustom: false }), body.text, validation)
    const wanted = (current: KubeObject): KubeObject =>
      applyPatch(patch, current, {
        resource: target,
        manager: request.fieldManager,
        validation,
        // Whose number it is, the object knows, and not the scale.
        force: true,
        now: Date.now(),
      }).object
    return { wanted, isApplied: patch.is === 'apply' }
  }
  const { object } = await decodeBody(body.text, target, { validation, mediaType: body.contentType })
  object.metadata ??= {}
  return { wanted: () => object, isApplied: false }
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
