import type { ResourceDefinition } from '../resource.ts'
import { configMaps } from './config-map.ts'
import { limitRanges } from './limit-range.ts'
import { namespaces } from './namespace.ts'
import { nodes } from './node.ts'
import { persistentVolumes } from './persistent-volume.ts'
import { persistentVolumeClaims } from './persistent-volume-claim.ts'
import { pods } from './pod/pod.ts'
import { resourceQuotas } from './resource-quota.ts'
import { clusterRoles, roles } from './role.ts'
import { clusterRoleBindings, roleBindings } from './role-binding.ts'
import { secrets } from './secret.ts'
import { serviceAccounts } from './service-account.ts'

/** Every built-in kind that the cluster stores. */
export const resourceTable: readonly ResourceDefinition[] = [
  configMaps,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceQuotas,
  secrets,
  serviceAccounts,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
]
