import type { Admission, Admitter } from '../registry/index.ts'
import { compareQuantities, type PersistentVolumeClaim, type StorageClass } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { refused, resourceOf } from './refusal.ts'

/** A claim grows only when it is bound and its storage class says that its volumes can. */
export function claimResize({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(admission: Admission): void {
      const { operation, request, object, oldObject } = admission
      if (operation !== 'UPDATE' || request.subresource !== undefined) return
      if (resourceOf(admission) !== '/persistentvolumeclaims' || !object || !oldObject) return
      const [claim, before] = [object as PersistentVolumeClaim, oldObject as PersistentVolumeClaim]
      const asked = claim.spec?.resources?.requests?.['storage']
      const had = before.spec?.resources?.requests?.['storage']
      if (asked === undefined || had === undefined || compareQuantities(asked, had) <= 0) return
      if (before.status?.phase !== 'Bound') {
        throw refused(admission, 'Only bound persistent volume claims can be expanded')
      }
      const className = claim.spec?.storageClassName
      const storageClass = className
        ? (reader.get('storage.k8s.io/storageclasses', undefined, className) as StorageClass | undefined)
        : undefined
      if (storageClass?.allowVolumeExpansion !== true || before.spec?.storageClassName !== className) {
        throw refused(
          admission,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        )
      }
    },
  }
}
