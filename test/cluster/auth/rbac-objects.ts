import { bootstrapObjects } from '../../../src/cluster/auth/index.ts'
import type { KubeObject } from '../../../src/kube/index.ts'
import { MemoryReader } from './memory-reader.ts'

const group = 'rbac.authorization.k8s.io'
const plurals: Readonly<Record<string, string>> = {
  Role: 'roles',
  ClusterRole: 'clusterroles',
  RoleBinding: 'rolebindings',
  ClusterRoleBinding: 'clusterrolebindings',
}

/** A reader with the roles and bindings that a cluster starts with. */
export function bootstrappedReader(): MemoryReader {
  const reader = new MemoryReader()
  for (const object of bootstrapObjects()) putRbac(reader, object)
  return reader
}

export function putRbac(reader: MemoryReader, object: KubeObject): void {
  reader.put(`${group}/${plurals[object.kind ?? ''] ?? ''}`, object)
}

export function role(namespace: string, name: string, rules: unknown[]): KubeObject {
  return { apiVersion: `${group}/v1`, kind: 'Role', metadata: { namespace, name }, rules }
}

export function clusterRole(name: string, rules: unknown[]): KubeObject {
  return { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules }
}

export function binding(
  namespace: string,
  name: string,
  to: { role?: string; clusterRole?: string },
  subjects: unknown[],
): KubeObject {
  const kind = to.role ? 'Role' : 'ClusterRole'
  return {
    apiVersion: `${group}/v1`,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { apiGroup: group, kind, name: to.role ?? to.clusterRole },
    subjects,
  }
}
