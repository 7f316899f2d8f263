import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.js'
import { compareQuantities } from '../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue } from '../faults.ts'
import { validateClaimSpec } from '../validation/claims.ts'
import { same } from '../validation/equality.ts'
import { immutableField } from '../validation/metadata.ts'
import { jsonDiff } from '../validation/text-diff.ts'
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { define, type Of } from './define.ts'
import { inOrder, sortedMap } from './internal-form.ts'
import { accessModesText, storageClassOf } from './persistent-volume.ts'

type Spec = NonNullable<PersistentVolumeClaim['spec']>

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumeClaims = define<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  namespaced: true,
  shortNames: ['pvc'],
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    object.spec ??= {}
    object.spec.resources ??= {}
    object.spec.volumeMode ??= 'Filesystem'
    object.status ??= {}
    object.status.phase ||= 'Pending'
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' }
    copyDataSource(object.spec ?? {})
  },
  validate: (object) => validateClaimSpec('spec', object.spec ?? {}),
  validateUpdate(object, old) {
    const [spec, before] = [object.spec ?? {}, old.spec ?? {}]
    const [comparable, wanted] = exceptWhatMayChange(object, old)
    const faults: Fault[] = []
    const annotation = object.metadata.annotations?.[classAnnotation] ?? ''
    if (annotation !== (old.metadata.annotations?.[classAnnotation] ?? '')) {
      faults.push(invalidValue(`metadata.annotations.${classAnnotation}`, annotation, 'field is immutable'))
    }
    if (!same(comparable, wanted)) {
      const diff = jsonDiff(shownSpec(wanted), shownSpec(comparable))
      faults.push(
        forbiddenField(
          'spec',
          `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diff}`,
        ),
      )
    }
    faults.push(...shrinkFaults(spec, old))
    faults.push(...immutableField('volumeMode', spec.volumeMode, before.volumeMode))
    faults.push(...attributesFaults(spec, before))
    return faults
  },
  columns: [
    nameColumn,
    column('Status', 'phase represents the current phase of PersistentVolumeClaim.', (object) =>
      object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''),
    ),
    column(
      'Volume',
      'volumeName is the binding reference to the PersistentVolume backing this claim.',
      (object) => object.spec?.volumeName ?? '',
    ),
    column(
      'Capacity',
      'capacity represents the actual resources of the underlying volume.',
      ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
    ),
    column(
      'Access Modes',
      'accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1',
      ({ spec, status }) => (spec?.volumeName ? accessModesText(status?.accessModes) : ''),
    ),
    column('StorageClass', 'StorageClass of the pvc', storageClassOf),
    column(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pvc',
      (object) => object.spec?.volumeAttributesClassName ?? '<unset>',
    ),
    ageColumn,
    wideColumn(
      'VolumeMode',
      'volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.',
      (object) => object.spec?.volumeMode ?? '<unset>',
    ),
  ],
})

/** Both fields name the same source, unless it is in another namespace. */
function copyDataSource(spec: Spec): void {
  if (spec.dataSourceRef?.namespace) return
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (spec.dataSourceRef && !spec.dataSource) {
    const { apiGroup, kind, name } = spec.dataSourceRef
    spec.dataSource = { ...(apiGroup !== undefined && { apiGroup }), kind, name }
  }
}

/** New and old spec once the differences that are allowed have been evened out. */
function exceptWhatMayChange(
  object: Of<PersistentVolumeClaim>,
  old: Of<PersistentVolumeClaim>,
): [Spec, Spec] {
  const comparable: Spec = { ...object.spec }
  const wanted: Spec = { ...old.spec }
  if (!wanted.volumeName && comparable.volumeName) wanted.volumeName = comparable.volumeName
  if (wanted.storageClassName === undefined) delete comparable.storageClassName
  if (object.status?.phase === 'Bound') {
    const size = wanted.resources?.requests?.['storage']
    if (comparable.resources?.requests && size !== undefined) {
      comparable.resources = {
        ...comparable.resources,
        requests: { ...comparable.resources.requests, storage: size },
      }
    }
    if (comparable.volumeAttributesClassName !== undefined) {
      if (wanted.volumeAttributesClassName === undefined) delete comparable.volumeAttributesClassName
      else comparable.volumeAttributesClassName = wanted.volumeAttributesClassName
    }
  }
  return [comparable, wanted]
}

/** A request may go back to no less than what the volume has: growing can fail, shrinking is not done. */
function shrinkFaults(spec: Spec, old: Of<PersistentVolumeClaim>): Fault[] {
  const size = spec.resources?.requests?.['storage'] ?? '0'
  const before = old.spec?.resources?.requests?.['storage'] ?? '0'
  const actual = old.status?.capacity?.['storage'] ?? '0'
  if (compareQuantities(size, before) >= 0 || compareQuantities(size, actual) > 0) return []
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
}

function attributesFaults(spec: Spec, before: Spec): Fault[] {
  if (!before.volumeAttributesClassName) return []
  const path = 'spec.volumeAttributesClassName'
  if (spec.volumeAttributesClassName === undefined) {
    return [forbiddenField(path, 'update from non-nil value to nil is forbidden')]
  }
  return spec.volumeAttributesClassName === ''
    ? [forbiddenField(path, 'update from non-nil value to an empty string is forbidden')]
    : []
}

function shownSpec(spec: Spec): Record<string, unknown> {
  const reference = ['apiGroup', 'kind', 'name']
  return {
    AccessModes: spec.accessModes ?? null,
    Selector: spec.selector ?? null,
    Resources: {
      Limits: sortedMap(spec.resources?.limits),
      Requests: sortedMap(spec.resources?.requests),
    },
    VolumeName: spec.volumeName ?? '',
    StorageClassName: spec.storageClassName ?? null,
    VolumeMode: spec.volumeMode ?? null,
    DataSource: spec.dataSource ? inOrder(spec.dataSource, reference) : null,
    DataSourceRef: spec.dataSourceRef ? inOrder(spec.dataSourceRef, [...reference, 'namespace']) : null,
    VolumeAttributesClassName: spec.volumeAttributesClassName ?? null,
  }
}
