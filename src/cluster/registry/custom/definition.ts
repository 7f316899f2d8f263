import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { invalidValue } from '../faults.ts'
import { define, type Of } from '../resources/define.ts'
import { column, nameColumn } from '../resources/columns.ts'
import { setClientDefaults } from '../validation/webhook-client.ts'
import { changeFaults, storedVersionFaults } from './change-faults.ts'
import { specFaults } from './definition-faults.ts'
import { condition, withCondition } from './naming.ts'

/** Keeps a deleted CRD until its objects are gone. */
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** The kind that makes kinds. */
export const customResourceDefinitions = define<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  hasStatus: true,
  tracksGeneration: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    // What is left out is empty, so that the checks can say so.
    const spec = (object.spec ??= { group: '', names: { plural: '', kind: '' }, scope: '', versions: [] })
    spec.group ??= ''
    spec.names ??= { plural: '', kind: '' }
    spec.scope ??= ''
    spec.versions ??= []
    if (!spec.names.singular && spec.names.kind) spec.names.singular = spec.names.kind.toLowerCase()
    if (!spec.names.listKind && spec.names.kind) spec.names.listKind = `${spec.names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    setClientDefaults(spec.conversion.webhook?.clientConfig)
  },
  prepareForCreate(object) {
    const storage = object.spec?.versions?.find((version) => version.storage)?.name
    object.status = {
      conditions: [],
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storage === undefined ? [] : [storage],
    }
  },
  prepareForUpdate(object, _old, request) {
    if (request.subresource === 'status') return
    const storage = object.spec?.versions?.find((version) => version.storage)?.name
    const stored = object.status?.storedVersions ?? []
    if (storage !== undefined && object.status !== undefined && !stored.includes(storage)) {
      object.status = { ...object.status, storedVersions: [...stored, storage] }
    }
  },
  validate(object) {
    const { spec, metadata } = object
    const name = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`
    const faults = specFaults(spec, metadata.annotations ?? {})
    return metadata.name === name
      ? faults
      : [invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'), ...faults]
  },
  validateUpdate: (object, old) => [
    ...changeFaults(object.spec, old.spec, {
      isEstablished: condition(old.status, 'Established')?.status === 'True',
    }),
    ...storedVersionFaults(object.status?.storedVersions ?? [], object.spec),
  ],
  validateStatus: (object) => storedVersionFaults(object.status?.storedVersions ?? [], object.spec),
  // The first delete only announces the end: objects of the kind go first.
  isHeld: (object) => object.metadata.deletionTimestamp === undefined,
  onDeleting: announceEnd,
  columns: [
    nameColumn,
    column(
      'Created At',
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
      (object) => object.metadata.creationTimestamp ?? null,
      'date',
    ),
  ],
})

function announceEnd(object: Of<CustomResourceDefinition>): void {
  if (condition(object.status, 'Terminating')?.status === 'True') return
  const finalizers = object.metadata.finalizers ?? []
  if (!finalizers.includes(cleanupFinalizer)) object.metadata.finalizers = [...finalizers, cleanupFinalizer]
  const { deletionTimestamp = '', deletionGracePeriodSeconds } = object.metadata
  // At once: what waits for the objects is the finalizer, not a grace period.
  if (deletionGracePeriodSeconds === 0) delete object.metadata.deletionGracePeriodSeconds
  object.status = withCondition(object.status, {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    lastTransitionTime: deletionTimestamp,
  })
}
