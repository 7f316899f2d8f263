import type { Admission, Admitter } from '../registry/index.ts'
import type { PersistentVolumeClaim } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { newestMarked } from './newest-marked.ts'
import { resourceOf } from './refusal.ts'

const classes = 'storage.k8s.io/storageclasses'
const marks = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

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
      const name = newestMarked(reader.list(classes), marks)
      if (name !== undefined) claim.spec.storageClassName = name
    },
  }
}
