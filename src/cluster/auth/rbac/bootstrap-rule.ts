import type { PolicyRule } from 'kubernetes-types/rbac/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
import { rbacGroup } from './rule-resolver.ts'

/** `rbac.authorization.k8s.io/v1`. */
const rbacVersion = `${rbacGroup}/v1`
export const read = 'get list watch'
export const write = 'create delete deletecollection patch update'

/** A rule from words: `rule('apps extensions', 'deployments', 'get list')`; the group `core` is ''. */
export function rule(groups: string, resources: string, verbs: string, names?: string): PolicyRule {
  return {
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    ...(names && { resourceNames: names.split(' ') }),
    resources: resources.split(' '),
    verbs: verbs.split(' '),
  }
}

export function pathRule(paths: string): PolicyRule {
  return { nonResourceURLs: paths.split(' '), verbs: ['get'] }
}

/** What every controller that tells people something may do. */
export const eventRule = rule('core events.k8s.io', 'events', 'create patch update')

export interface BootstrapRole extends KubeObject {
  readonly rules: readonly PolicyRule[]
}

export function clusterRole(
  name: string,
  rules: readonly PolicyRule[],
  labels: Readonly<Record<string, string>> = {},
): BootstrapRole {
  return { apiVersion: rbacVersion, kind: 'ClusterRole', metadata: { name, ...marks(labels) }, rules }
}

export function role(namespace: string, name: string, rules: readonly PolicyRule[]): BootstrapRole {
  return { apiVersion: rbacVersion, kind: 'Role', metadata: { name, namespace, ...marks({}) }, rules }
}

export interface BootstrapSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount'
  readonly name: string
}

export function clusterBinding(
  name: string,
  subjects: readonly BootstrapSubject[],
  roleName = name,
): KubeObject {
  return {
    apiVersion: rbacVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, ...marks({}) },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
    subjects: subjects.map(wireSubject),
  }
}

export function binding(
  namespace: string,
  name: string,
  subjects: readonly BootstrapSubject[],
  roleName = name,
): KubeObject {
  return {
    apiVersion: rbacVersion,
    kind: 'RoleBinding',
    metadata: { name, namespace, ...marks({}) },
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: roleName },
    subjects: subjects.map(wireSubject),
  }
}

function marks(labels: Readonly<Record<string, string>>): {
  labels: Record<string, string>
  annotations: Record<string, string>
} {
  return {
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  }
}

/** Service accounts of the control plane live in `kube-system`. */
function wireSubject(subject: BootstrapSubject): object {
  return subject.kind === 'ServiceAccount'
    ? { kind: subject.kind, name: subject.name, namespace: 'kube-system' }
    : { apiGroup: rbacGroup, kind: subject.kind, name: subject.name }
}
