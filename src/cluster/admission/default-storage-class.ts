import type { Admission, Admitter } from '../registry/index.ts'
import { defaultStorageClassMarks, newestMarked, type PersistentVolumeClaim } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { resourceOf } from './refusal.ts'

const classes = 'storage.k8s.io/storageclasses'

/** A claim that names no storage class gets the cluster's default; one that names `""` asked for none. */
export function defaultStorageClass({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  return {
    name: 'DefaultStorageClass',
    mutate(admission: Admission): void {
      const { operation, request, object } = admission
      if (operation !== 'CREATE' || request.subresource !== undefined || object === undefined) return
      if (resourceOf(admission) !== '/persistentvolumeclaims') return
      const claim = object as PersistentVolumeClaim
      if (claim.spec === undefined || claim.spec.storageClassName !== undefined) return
      if (object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const name = newestMarked(reader.list(classes), defaultStorageClassMarks)
      if (name !== undefined) claim.spec.storageClassName = name
    },
  }
}
