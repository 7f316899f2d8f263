import type { ObjectMeta } from 'kubernetes-types/meta/v1.js'

/** Attributes of volumes (`storage.k8s.io/v1`); younger than the typed API this program is built with. */
export interface VolumeAttributesClass {
  apiVersion?: 'storage.k8s.io/v1'
  kind?: 'VolumeAttributesClass'
  metadata?: ObjectMeta
  driverName: string
  parameters?: Record<string, string>
}
