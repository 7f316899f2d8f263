import type { KubeObject, ObjectMeta, OwnerReference } from '../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue, required, tooLong } from '../faults.ts'
import type { ResourceDefinition } from '../resource.ts'
import { same } from './equality.ts'
import {
  byteLength,
  canonicalAddress,
  type Check,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  labelText,
  pathSegment,
  pathSegmentPrefix,
  qualifiedName,
} from './names.ts'

const annotationBytes = 256 * 1024

/** Faults of the metadata of a new object; its name has been generated already where asked for. */
export function validateMetadata(
  object: KubeObject,
  definition: Pick<ResourceDefinition, 'namespaced' | 'nameRule' | 'isCustom'>,
): Fault[] {
  const meta = object.metadata
  const faults: Fault[] = []
  const rule = definition.nameRule ?? 'subdomain'
  if (meta.generateName) {
    for (const text of checkPrefix(rule, meta.generateName)) {
      faults.push(invalidValue('metadata.generateName', meta.generateName, text))
    }
  }
  if (meta.name) {
    for (const text of nameRules[rule](meta.name)) faults.push(invalidValue('metadata.name', meta.name, text))
  } else {
    faults.push(required('metadata.name', 'name or generateName is required'))
  }
  if (definition.namespaced) {
    if (!meta.namespace) faults.push(required('metadata.namespace'))
    else {
      for (const text of dnsLabel(meta.namespace)) {
        faults.push(invalidValue('metadata.namespace', meta.namespace, text))
      }
    }
  } else if (meta.namespace) {
    faults.push(forbiddenField('metadata.namespace', 'not allowed on this type'))
  }
  if ((meta.generation ?? 0) < 0) {
    faults.push(invalidValue('metadata.generation', meta.generation, 'must be greater than or equal to 0'))
  }
  contentFaults(meta, definition.isCustom === true, faults)
  return faults
}

/** Faults of changed metadata: what the server owns stays, nothing is added to what is on its way out. */
export function validateMetadataUpdate(
  object: KubeObject,
  old: KubeObject,
  definition: Pick<ResourceDefinition, 'isCustom'>,
): Fault[] {
  const meta = object.metadata
  const before = old.metadata
  const faults: Fault[] = []
  if (before.deletionTimestamp && meta.finalizers && meta.finalizers !== before.finalizers) {
    const known = new Set(before.finalizers)
    const added = [...new Set(meta.finalizers)].filter((name) => !known.has(name)).sort()
    if (added.length > 0) {
      faults.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`,
        ),
      )
    }
  }
  if (!meta.resourceVersion) {
    faults.push(
      invalidValue('metadata.resourceVersion', meta.resourceVersion ?? '', 'must be specified for an update'),
    )
  }
  if ((meta.generation ?? 0) < (before.generation ?? 0)) {
    faults.push(invalidValue('metadata.generation', meta.generation ?? 0, 'must not be decremented'))
  }
  for (const field of fixed) {
    if (meta[field] !== before[field]) {
      faults.push(invalidValue(`metadata.${field}`, meta[field] ?? emptyOf(field), 'field is immutable'))
    }
  }
  contentFaults(meta, definition.isCustom === true, faults)
  return faults
}

const fixed = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function emptyOf(field: (typeof fixed)[number]): string | null {
  return field === 'name' || field === 'namespace' || field === 'uid' ? '' : null
}

const nameRules = {
  'ip-address': canonicalAddress,
  label: dnsLabel,
  subdomain: dnsSubdomain,
  'path-segment': pathSegment,
  'dns-1035-label': dns1035Label,
} satisfies Record<string, Check>

/** A prefix may end in dashes that would be wrong at the end of a name: random characters follow. */
function checkPrefix(rule: keyof typeof nameRules, prefix: string): string[] {
  if (rule === 'path-segment') return pathSegmentPrefix(prefix)
  const masked = prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix
  return nameRules[rule](masked)
}

function contentFaults(meta: ObjectMeta, isCustom: boolean, faults: Fault[]): void {
  if (meta.labels) faults.push(...validateLabels(meta.labels, 'metadata.labels'))
  if (meta.annotations) faults.push(...validateAnnotations(meta.annotations, 'metadata.annotations'))
  if (meta.ownerReferences) faults.push(...validateOwners(meta.ownerReferences))
  if (meta.finalizers) faults.push(...validateFinalizers(meta.finalizers, isCustom))
}

/** Keys and values of labels, or of anything that must match labels. */
export function validateLabels(labels: Readonly<Record<string, string>>, path: string): Fault[] {
  const faults: Fault[] = []
  for (const key in labels) {
    for (const text of qualifiedName(key)) faults.push(invalidValue(path, key, text))
    const value = labels[key] ?? ''
    for (const text of labelText(value)) faults.push(invalidValue(path, value, text))
  }
  return faults
}

export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): Fault[] {
  const faults: Fault[] = []
  let size = 0
  for (const key in annotations) {
    for (const text of qualifiedName(key.toLowerCase())) faults.push(invalidValue(path, key, text))
    size += byteLength(key) + byteLength(annotations[key] ?? '')
  }
  if (size > annotationBytes) faults.push(tooLong(path, annotationBytes))
  return faults
}

function validateOwners(owners: readonly OwnerReference[]): Fault[] {
  const path = 'metadata.ownerReferences'
  const faults: Fault[] = []
  let controller = ''
  for (const owner of owners) {
    const [first = '', second, ...others] = owner.apiVersion?.split('/') ?? []
    // What has more than one slash names no version.
    if ((second ?? first) === '' || others.length > 0) {
      faults.push(invalidValue(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
    }
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (!owner[field])
        faults.push(invalidValue(`${path}.${field}`, owner[field] ?? '', 'must not be empty'))
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      faults.push(invalidValue(path, ordered(owner), '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (owner.controller) {
      const name = `${owner.kind}/${owner.name}`
      if (controller) {
        faults.push(
          invalidValue(
            path,
            owners.map(ordered),
            `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
          ),
        )
      } else controller = name
    }
  }
  return faults
}

/** Fields in the order in which Kubernetes prints them. */
function ordered(owner: OwnerReference): OwnerReference {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller !== undefined && { controller }),
    ...(blockOwnerDeletion !== undefined && { blockOwnerDeletion }),
  }
}

const standardFinalizers = new Set([
  'kubernetes',
  'orphan',
  'foregroundDeletion',
  'customresourcecleanup.apiextensions.k8s.io',
])

function validateFinalizers(finalizers: readonly string[], isCustom: boolean): Fault[] {
  const path = 'metadata.finalizers'
  const faults: Fault[] = []
  for (const name of finalizers) {
    for (const text of qualifiedName(name)) faults.push(invalidValue(path, name, text))
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    faults.push(invalidValue(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  // Custom resources pass with any qualified name: only Kubernetes' own kinds insist on a domain.
  if (isCustom) return faults
  for (const [index, name] of finalizers.entries()) {
    if (!name.includes('/') && !standardFinalizers.has(name)) {
      faults.push(
        invalidValue(
          `${path}[${index}]`,
          name,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      )
    }
  }
  return faults
}

/** One fault when a field that must stay has changed. */
export function immutableField(path: string, value: unknown, old: unknown): Fault[] {
  return same(value, old) ? [] : [invalidValue(path, value ?? null, 'field is immutable')]
}
