import { timestamp } from '../../../kube/index.ts'
import type { PersistentVolume } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../faults.ts'
import { checked, optionalChoice } from '../validation/checks.ts'
import { validateAccessModes, validateVolumeMode } from '../validation/claims.ts'
import { same } from '../validation/equality.ts'
import { immutableField } from '../validation/metadata.ts'
import { dnsSubdomain } from '../validation/names.ts'
import { validateNodeSelector } from '../validation/node-selectors.ts'
import { positiveQuantity } from '../validation/quantities.ts'
import { jsonDiff } from '../validation/text-diff.ts'
import { persistentSourceNames, validatePersistentSource } from '../validation/volumes.ts'
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts'
import { define, type Of } from './define.ts'
import { inGoNames, inOrder } from './internal-form.ts'
import { setVolumeDefaults } from './pod/volume-defaults.ts'

type Spec = NonNullable<PersistentVolume['spec']>

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumes = define<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  namespaced: false,
  shortNames: ['pv'],
  hasStatus: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    object.spec ??= {}
    object.status ??= {}
    object.status.phase ||= 'Pending'
    object.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    object.spec.volumeMode ??= 'Filesystem'
    setVolumeDefaults(object.spec)
  },
  prepareForCreate(object) {
    const { creationTimestamp } = object.metadata
    object.status = {
      phase: 'Pending',
      ...(creationTimestamp && { lastPhaseTransitionTime: creationTimestamp }),
    }
  },
  prepareForUpdate({ status = {} }, old, request) {
    if (request.subresource !== 'status') return
    // Whoever sets the phase need not say since when, but may.
    const { phase, lastPhaseTransitionTime: since } = old.status ?? {}
    if (status.phase === phase) {
      if (since !== undefined) status.lastPhaseTransitionTime ??= since
    } else if (status.lastPhaseTransitionTime === since) {
      status.lastPhaseTransitionTime = timestamp(new Date())
    }
  },
  validate(object) {
    const spec = object.spec ?? {}
    return [
      ...capacityFaults(spec),
      ...optionalChoice('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, [
        'Delete',
        'Recycle',
        'Retain',
      ]),
      ...affinityFaults(spec),
      ...validatePersistentSource('spec', spec),
      ...placeFaults(spec),
    ]
  },
  validateUpdate(object, old) {
    const [spec, before] = [object.spec ?? {}, old.spec ?? {}]
    const faults: Fault[] = []
    if (!same(sourceOf(spec, before), sourceOf(before, before))) {
      const diff = jsonDiff(shownSource(before), shownSource(spec))
      faults.push(
        forbiddenField(
          'spec.persistentvolumesource',
          `spec.persistentvolumesource is immutable after creation\n${diff}`,
        ),
      )
    }
    faults.push(...immutableField('volumeMode', spec.volumeMode, before.volumeMode))
    if (before.nodeAffinity && !same(spec.nodeAffinity, before.nodeAffinity)) {
      faults.push(
        invalidValue(
          'nodeAffinity',
          inGoNames(spec.nodeAffinity) ?? null,
          'field is immutable, except for updating from beta label to GA',
        ),
      )
    }
    return faults
  },
  columns: [
    nameColumn,
    column(
      'Capacity',
      "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
      (object) => object.spec?.capacity?.['storage'] ?? '0',
    ),
    column(
      'Access Modes',
      'accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes',
      (object) => accessModesText(object.spec?.accessModes),
    ),
    column(
      'Reclaim Policy',
      'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming',
      (object) => object.spec?.persistentVolumeReclaimPolicy ?? '',
    ),
    column(
      'Status',
      'phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase',
      (object) => (object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? '')),
    ),
    column(
      'Claim',
      'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding',
      ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : ''),
    ),
    column(
      'StorageClass',
      'StorageClass of the pv',
      (object) => object.metadata.annotations?.[classAnnotation] ?? object.spec?.storageClassName ?? '',
    ),
    column(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pv',
      (object) => object.spec?.volumeAttributesClassName ?? '<unset>',
    ),
    column(
      'Reason',
      'reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.',
      (object) => object.status?.reason ?? '',
    ),
    ageColumn,
    wideColumn(
      'VolumeMode',
      'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec.',
      (object) => object.spec?.volumeMode ?? '<unset>',
    ),
  ],
})

const shortModes = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

/** `RWO,RWX`: access modes as tables show them. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

/** The class that a claim asks for. */
export function storageClassOf(object: {
  metadata: Of<PersistentVolume>['metadata']
  spec?: { storageClassName?: string }
}): string {
  return object.metadata.annotations?.[classAnnotation] ?? object.spec?.storageClassName ?? ''
}

function capacityFaults({ accessModes = [], capacity = {} }: Spec): Fault[] {
  const faults: Fault[] = []
  if (accessModes.length === 0) faults.push(required('spec.accessModes'))
  faults.push(...validateAccessModes('spec.accessModes', accessModes))
  const names = Object.keys(capacity)
  if (names.length === 0) faults.push(required('spec.capacity'))
  if (capacity['storage'] === undefined || names.length > 1) {
    // A list of names is shown by its values elsewhere; here Kubernetes shows the whole map.
    faults.push(notSupported('spec.capacity', capacity, ['storage']))
  }
  for (const name of names) {
    faults.push(...positiveQuantity(capacity[name] ?? '0', `spec.capacity[${name}]`))
  }
  return faults
}

function affinityFaults({ nodeAffinity, local }: Spec): Fault[] {
  if (nodeAffinity === undefined) {
    return local === undefined ? [] : [required('spec.nodeAffinity', 'Local volume requires node affinity')]
  }
  return nodeAffinity.required
    ? validateNodeSelector('spec.nodeAffinity.required', nodeAffinity.required)
    : [required('spec.nodeAffinity.required', 'must specify required node constraints')]
}

function placeFaults(spec: Spec): Fault[] {
  const faults: Fault[] = []
  const isRoot = spec.hostPath !== undefined && /^\/+(\.\/*)*$/.test(spec.hostPath.path)
  if (isRoot && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    faults.push(
      forbiddenField(
        'spec.persistentVolumeReclaimPolicy',
        "may not be 'recycle' for a hostPath mount of '/'",
      ),
    )
  }
  if (spec.storageClassName) {
    faults.push(...checked('spec.storageClassName', spec.storageClassName, dnsSubdomain))
  }
  faults.push(...validateVolumeMode('spec.volumeMode', spec.volumeMode))
  if (spec.volumeAttributesClassName !== undefined) {
    const path = 'spec.volumeAttributesClassName'
    if (spec.volumeAttributesClassName === '') {
      faults.push(required(path, 'an empty string is disallowed'))
    } else faults.push(...checked(path, spec.volumeAttributesClassName, dnsSubdomain))
    if (!spec.csi) {
      faults.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'))
    }
  }
  return faults
}

/** The part of a spec that says where the data is. An expansion secret may be added later. */
function sourceOf(spec: Spec, before: Spec): Record<string, unknown> {
  const all = spec as Record<string, unknown>
  const source = Object.fromEntries(persistentSourceNames.map((name) => [name, all[name]]))
  if (spec.csi && before.csi && !before.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _added, ...csi } = spec.csi
    source['csi'] = csi
  }
  return source
}

function shownSource(spec: Spec): Record<string, unknown> {
  const all = spec as Record<string, unknown>
  const shown = inOrder(spec, goSources)
  for (const source of goSources) {
    const [name, goName] = source
    const value = all[name]
    if (typeof value !== 'object' || value === null) continue
    const fields = goFields[name]
    shown[goName] = fields
      ? { ...inOrder(value, fields), ...falseWhereAbsent(value, fields) }
      : inGoNames(value)
  }
  return shown
}

/** Go has no absent booleans or texts in these structures. */
function falseWhereAbsent(value: object, fields: readonly string[]): Record<string, unknown> {
  const source = value as Record<string, unknown>
  const filled: Record<string, unknown> = {}
  if (fields.includes('readOnly') && source['readOnly'] === undefined) filled['ReadOnly'] = false
  if (fields === goFields['csi'] && source['fsType'] === undefined) filled['FSType'] = ''
  return filled
}

const goFields: Readonly<Record<string, readonly string[]>> = {
  hostPath: ['path', 'type'],
  nfs: ['server', 'path', 'readOnly'],
  local: ['path', 'fsType'],
  csi: [
    'driver',
    'volumeHandle',
    'readOnly',
    'fsType',
    'volumeAttributes',
    'controllerPublishSecretRef',
    'nodeStageSecretRef',
    'nodePublishSecretRef',
    'controllerExpandSecretRef',
    'nodeExpandSecretRef',
  ],
}

const goSources: readonly (readonly [string, string])[] = [
  ['gcePersistentDisk', 'GCEPersistentDisk'],
  ['awsElasticBlockStore', 'AWSElasticBlockStore'],
  ['hostPath', 'HostPath'],
  ['glusterfs', 'Glusterfs'],
  ['nfs', 'NFS'],
  ['rbd', 'RBD'],
  ['quobyte', 'Quobyte'],
  ['iscsi', 'ISCSI'],
  ['flexVolume', 'FlexVolume'],
  ['cinder', 'Cinder'],
  ['cephfs', 'CephFS'],
  ['fc', 'FC'],
  ['flocker', 'Flocker'],
  ['azureFile', 'AzureFile'],
  ['vsphereVolume', 'VsphereVolume'],
  ['azureDisk', 'AzureDisk'],
  ['photonPersistentDisk', 'PhotonPersistentDisk'],
  ['portworxVolume', 'PortworxVolume'],
  ['scaleIO', 'ScaleIO'],
  ['local', 'Local'],
  ['storageos', 'StorageOS'],
  ['csi', 'CSI'],
]
