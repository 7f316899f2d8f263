import type { PersistentVolumeSpec } from 'kubernetes-types/core/v1.js'
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from 'kubernetes-types/storage/v1.js'
import { between, byteLength, dnsSubdomain } from '../../validation/names.ts'
import { type Fault, forbiddenField, invalidValue, required, tooLong } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { validateAccessModes, validateVolumeMode } from '../../validation/claims.ts'
import { same } from '../../validation/equality.ts'
import { csiDriverName } from '../../validation/volume-sources/vendors.ts'
import { validatePersistentSource } from '../../validation/volumes.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { inOrder } from '../internal-form.ts'
import { setVolumeDefaults } from '../pod/volume-defaults.ts'

const mostMetadataBytes = 256 * 1024
const mostMessageBytes = 1024

export const volumeAttachments = define<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  hasStatus: true,
  updateNeedsVersion: true,
  setDefaults(object) {
    object.status ??= { attached: false }
    object.status.attached ??= false
    const inline = object.spec?.source?.inlineVolumeSpec
    if (inline) setVolumeDefaults(inline)
  },
  prepareForCreate(object) {
    object.status = { attached: false }
  },
  validate({ spec }) {
    const { attacher = '', nodeName = '', source = {} } = spec ?? {}
    return [
      ...(attacher === '' ? [required('spec.attacher')] : []),
      ...sourceFaults('spec.source', source),
      ...checked('spec.nodeName', nodeName, dnsSubdomain),
      ...csiDriverName('spec.attacher', attacher),
    ]
  },
  validateUpdate: ({ spec }, old) =>
    same(spec, old.spec)
      ? []
      : [
          invalidValue(
            'spec',
            {
              ...inOrder(spec, ['attacher']),
              Source: inOrder(spec.source, ['persistentVolumeName', 'inlineVolumeSpec']),
              ...inOrder(spec, ['nodeName']),
            },
            'field is immutable',
          ),
        ],
  validateStatus({ status }) {
    let size = 0
    for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) {
      size += byteLength(key) + byteLength(value)
    }
    return [
      ...(size > mostMetadataBytes ? [tooLong('status.attachmentMetadata', mostMetadataBytes)] : []),
      ...errorFaults('status.attachError', status?.attachError),
      ...errorFaults('status.detachError', status?.detachError),
    ]
  },
  columns: [
    nameColumn,
    {
      ...column<VolumeAttachment>(
        'Attacher',
        'attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName().',
        ({ spec }) => spec?.attacher ?? '',
      ),
      format: 'name',
    },
    column(
      'PV',
      'persistentVolumeName represents the name of the persistent volume to attach.',
      ({ spec }) => spec?.source?.persistentVolumeName ?? '',
    ),
    column(
      'Node',
      'nodeName represents the node that the volume should be attached to.',
      ({ spec }) => spec?.nodeName ?? '',
    ),
    column(
      'Attached',
      'attached indicates the volume is successfully attached. This field must only be set by the entity completing the attach operation, i.e. the external-attacher.',
      ({ status }) => status?.attached ?? false,
      'boolean',
    ),
    ageColumn,
  ],
})

function sourceFaults(
  path: string,
  { persistentVolumeName: name, inlineVolumeSpec }: VolumeAttachmentSource,
): Fault[] {
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inlineVolumeSpec) {
    return name === undefined
      ? inlineFaults(`${path}.inlineVolumeSpec`, inlineVolumeSpec)
      : [forbiddenField(path, one)]
  }
  if (name === undefined) return [required(path, one)]
  const at = `${path}.persistentVolumeName`
  return [
    ...(name === '' ? [required(at, 'must specify non empty persistentVolumeName')] : []),
    ...checked(at, name, dnsSubdomain),
  ]
}

const notInline = [
  'claimRef',
  'capacity',
  'persistentVolumeReclaimPolicy',
  'nodeAffinity',
  'storageClassName',
] as const

function inlineFaults(path: string, spec: PersistentVolumeSpec): Fault[] {
  const accessModes = spec.accessModes ?? []
  const faults: Fault[] = []
  for (const field of notInline) {
    const value = spec[field]
    if (!value || Object.keys(value).length === 0) continue
    faults.push(forbiddenField(`${path}.${field}`, 'may not be specified in the context of inline volumes'))
  }
  if (!spec.csi) faults.push(required(`${path}.csi`, 'has to be specified in the context of inline volumes'))
  if (accessModes.length === 0) faults.push(required(`${path}.accessModes`))
  return [
    ...faults,
    ...validateAccessModes(`${path}.accessModes`, accessModes),
    ...validatePersistentSource(path, spec),
    ...validateVolumeMode(`${path}.volumeMode`, spec.volumeMode),
  ]
}

function errorFaults(path: string, error: (VolumeError & { errorCode?: number }) | undefined): Fault[] {
  if (error === undefined) return []
  const { message = '', errorCode } = error
  const faults: Fault[] = []
  // The limit that Kubernetes names here is not the one that it checks.
  if (byteLength(message) > mostMessageBytes) faults.push(tooLong(`${path}.message`, mostMetadataBytes))
  if (errorCode !== undefined && errorCode < 0) {
    faults.push(invalidValue(`${path}.errorCode`, errorCode, between(0, 2 ** 31 - 1)))
  }
  return faults
}
