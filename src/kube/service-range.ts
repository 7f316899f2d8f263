import type { Condition, ObjectMeta } from 'kubernetes-types/meta/v1.js'
import { type IpNetwork, readNetwork } from './ip-address.ts'

/** A range of addresses for services (`networking.k8s.io/v1`); younger than the typed API this program is built with. */
export interface ServiceCIDR {
  apiVersion?: 'networking.k8s.io/v1'
  kind?: 'ServiceCIDR'
  metadata?: ObjectMeta
  spec?: { cidrs?: string[] }
  status?: { conditions?: Condition[] }
}

/** An address and the object that has it (`networking.k8s.io/v1`). */
export interface IPAddress {
  apiVersion?: 'networking.k8s.io/v1'
  kind?: 'IPAddress'
  metadata?: ObjectMeta
  spec?: { parentRef?: { group?: string; resource?: string; namespace?: string; name?: string } }
}

/** The ranges of a ServiceCIDR, as far as they can be read. */
export function networksOf({ spec }: Pick<ServiceCIDR, 'spec'>): IpNetwork[] {
  return (spec?.cidrs ?? []).flatMap((text) => readNetwork(text) ?? [])
}
