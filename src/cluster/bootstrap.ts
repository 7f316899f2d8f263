import { isStatus, type KubeObject } from '../kube/index.ts'
import { operatorClusterRole, operatorCrds, operatorRoleName } from '../operator/index.ts'
import { bootstrapObjects } from './auth/index.ts'
import type { Catalog, Registry, ResourceRequest, UserInfo } from './registry/index.ts'

/** The server itself: what it creates at start is not up to anyone's rights. */
const serverUser: UserInfo = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
}

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}))

const priorityClasses = [
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
].map(({ name, ...rest }) => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  ...rest,
  preemptionPolicy: 'PreemptLowerPriority',
}))

/** The parts of this cluster that Kubernetes does not know: each an account in `kube-system` with one role. */
const ownBindings = [
  { name: 'arena:node-agent', account: 'arena-node-agent', role: 'arena:node-agent' },
  { name: operatorRoleName, account: 'arena-operator', role: operatorRoleName },
]

/**
 * What the node agent does, and no more. It is one account for all nodes of this process, so it gets none of what a kubelet
 * may do on its word alone: it lists no secrets, creates no pods and approves nobody.
 */
const nodeAgentRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'arena:node-agent' },
  rules: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'create', 'patch'] },
    { apiGroups: [''], resources: ['nodes/status', 'pods/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch', 'delete'] },
    { apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    {
      apiGroups: [''],
      resources: ['configmaps', 'secrets', 'persistentvolumeclaims', 'persistentvolumes'],
      verbs: ['get'],
    },
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'patch'] },
  ],
}

/** A typed object as any other: what JSON would make of it. */
function plain(object: object): KubeObject {
  return JSON.parse(JSON.stringify(object)) as KubeObject
}

function ownObjects(): KubeObject[] {
  return [
    plain(operatorClusterRole()),
    nodeAgentRole,
    ...ownBindings.map(({ name, account, role }) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', namespace: 'kube-system', name: account }],
    })),
    ...operatorCrds().map(plain),
  ]
}

/**
 * Creates what every cluster has and this one lacks: namespaces, roles and bindings, priority classes. Roles whose rules
 * fell behind get what they lack, unless their owner switched that off.
 */
export async function bootstrap(catalog: Catalog, registry: Registry): Promise<void> {
  for (const object of namespaces) await ensure(catalog, registry, object)
  // Independent of each other: let them share their way to the disk.
  const others: KubeObject[] = [...bootstrapObjects(), ...priorityClasses, ...ownObjects()]
  await Promise.all(others.map((object) => ensure(catalog, registry, object)))
}

async function ensure(catalog: Catalog, registry: Registry, object: KubeObject): Promise<void> {
  const request = requestFor(catalog, object)
  if (!request) return
  try {
    const current = registry.get(request).value
    if (!lacksRules(current, object)) return
    await registry.update(
      { ...request, verb: 'patch' },
      { next: (live) => ({ ...live, ...missing(live, object) }) },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    await registry.create({ ...request, verb: 'create' }, structuredClone(object))
  }
}

/** A request of the server itself for an object, if its kind is served. */
export function requestFor(catalog: Catalog, object: KubeObject): ResourceRequest | undefined {
  const [first = '', second] = (object.apiVersion ?? '').split('/')
  const [group, version] = second === undefined ? ['', first] : [first, second]
  const resource = catalog
    .definitions()
    .find((one) => one.group === group && one.version === version && one.kind === object.kind)
  if (!resource) return undefined
  const { name, namespace } = object.metadata
  return {
    user: serverUser,
    verb: 'get',
    resource,
    ...(namespace && { namespace }),
    ...(name && { name }),
    isOwn: true,
    dryRun: false,
    fieldManager: 'arena',
    fieldValidation: 'Ignore',
    signal: new AbortController().signal,
    warn: () => undefined,
  }
}

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'

function lacksRules(live: KubeObject, wanted: KubeObject): boolean {
  if (live.metadata.annotations?.[autoupdate] !== 'true') return false
  return Object.keys(missing(live, wanted)).length > 0
}

/** Rules and subjects of the wanted object added to those of the live one; empty when it has them all. */
function missing(live: KubeObject, wanted: KubeObject): Partial<KubeObject> {
  const changes: Partial<KubeObject> = {}
  for (const field of ['rules', 'subjects'] as const) {
    const [has, wants] = [listOf(live[field]), listOf(wanted[field])]
    const known = new Set(has.map((one) => JSON.stringify(one)))
    const lacking = wants.filter((one) => !known.has(JSON.stringify(one)))
    // Aggregated roles get their rules from others.
    if (lacking.length > 0 && wanted['aggregationRule'] === undefined) changes[field] = [...has, ...lacking]
  }
  return changes
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
