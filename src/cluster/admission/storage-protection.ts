import type { Admission, Admitter } from '../registry/index.ts'
import { resourceOf } from './refusal.ts'

const finalizers: Readonly<Record<string, string>> = {
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
}

/** Volumes and claims in use are not deleted under their users: a finalizer holds them from the first moment. */
export const storageProtection: Admitter = {
  name: 'StorageObjectInUseProtection',
  mutate(admission: Admission): void {
    const { operation, request, object } = admission
    if (operation !== 'CREATE' || request.subresource !== undefined || object === undefined) return
    const finalizer = finalizers[resourceOf(admission)]
    if (finalizer === undefined) return
    const given = object.metadata.finalizers ?? []
    if (!given.includes(finalizer)) object.metadata.finalizers = [...given, finalizer]
  },
}
