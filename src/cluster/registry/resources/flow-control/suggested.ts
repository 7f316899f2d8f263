import type {
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
  Subject,
} from 'kubernetes-types/flowcontrol/v1.js'
import type { ObjectMeta } from '../../../../kube/index.ts'

/**
 * The flow schemas and priority levels that every cluster has: those that must be as they are, and those that may be
 * changed (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#default-configuration).
 */
type Made<T extends { spec?: unknown }> = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec: NonNullable<T['spec']>
}

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
// Their specs follow this server's version, as long as nobody says otherwise.
const metadata = (name: string): ObjectMeta => ({
  name,
  annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' },
})

/** @returns new objects each time. */
export function mandatoryPriorityLevels(): Made<PriorityLevelConfiguration>[] {
  return [
    {
      apiVersion,
      kind: 'PriorityLevelConfiguration',
      metadata: metadata('exempt'),
      spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
    },
    level('catch-all', { shares: 5, lendable: 0 }),
  ]
}

/** @returns new objects each time. */
export function mandatoryFlowSchemas(): Made<FlowSchema>[] {
  return [
    schema('exempt', 'exempt', 1, '', everything(groups('system:masters'))),
    schema('catch-all', 'catch-all', 10_000, 'ByUser', everything(everybody())),
  ]
}

/** Mandatory and suggested priority levels. */
export function bootstrapPriorityLevels(): Made<PriorityLevelConfiguration>[] {
  return [
    ...mandatoryPriorityLevels(),
    level('system', { shares: 30, lendable: 33, queues: 64, hand: 6 }),
    level('node-high', { shares: 40, lendable: 25, queues: 64, hand: 6 }),
    level('leader-election', { shares: 10, lendable: 0, queues: 16, hand: 4 }),
    level('workload-high', { shares: 40, lendable: 50, queues: 128, hand: 6 }),
    level('workload-low', { shares: 100, lendable: 90, queues: 128, hand: 6 }),
    level('global-default', { shares: 20, lendable: 50, queues: 128, hand: 6 }),
  ]
}

/** Mandatory and suggested flow schemas. */
export function bootstrapFlowSchemas(): Made<FlowSchema>[] {
  const anyAccount = accounts('*')
  const controllerManager = users('system:kube-controller-manager')
  const scheduler = users('system:kube-scheduler')
  const writing = ['get', 'create', 'update']
  const leases = resourceRule(writing, 'coordination.k8s.io', ['leases'])
  return [
    ...mandatoryFlowSchemas(),
    schema('probes', 'exempt', 2, '', {
      subjects: everybody(),
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    }),
    schema('system-leader-election', 'leader-election', 100, 'ByUser', {
      subjects: [...controllerManager, ...scheduler, ...anyAccount],
      resourceRules: [leases],
    }),
    schema('endpoint-controller', 'workload-high', 150, 'ByUser', {
      subjects: [
        ...controllerManager,
        ...accounts('endpoint-controller', 'endpointslicemirroring-controller'),
      ],
      resourceRules: [resourceRule(writing, '', ['endpoints'])],
    }),
    schema('workload-leader-election', 'leader-election', 200, 'ByUser', {
      subjects: anyAccount,
      resourceRules: [leases],
    }),
    schema('system-node-high', 'node-high', 400, 'ByUser', {
      subjects: groups('system:nodes'),
      resourceRules: [
        { ...resourceRule(['*'], '', ['nodes', 'nodes/status']), clusterScope: true },
        resourceRule(['*'], 'coordination.k8s.io', ['leases']),
      ],
    }),
    schema('system-nodes', 'system', 500, 'ByUser', everything(groups('system:nodes'))),
    schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything(controllerManager)),
    schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(scheduler)),
    schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(anyAccount)),
    schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
    schema('global-default', 'global-default', 9900, 'ByUser', everything(everybody())),
  ]
}

interface LevelSize {
  readonly shares: number
  readonly lendable: number
  /** Requests that cannot be served at once are refused when there are none. */
  readonly queues?: number
  readonly hand?: number
}

function level(
  name: string,
  { shares, lendable, queues, hand = 0 }: LevelSize,
): Made<PriorityLevelConfiguration> {
  return {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: metadata(name),
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        lendablePercent: lendable,
        limitResponse: queues
          ? { type: 'Queue', queuing: { queues, handSize: hand, queueLengthLimit: 50 } }
          : { type: 'Reject' },
      },
    },
  }
}

function schema(
  name: string,
  priorityLevel: string,
  matchingPrecedence: number,
  distinguisher: '' | 'ByUser' | 'ByNamespace',
  rule: PolicyRulesWithSubjects,
): Made<FlowSchema> {
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: priorityLevel },
      matchingPrecedence,
      ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
      rules: [rule],
    },
  }
}

/** Whatever the subjects ask for. */
function everything(subjects: Subject[]): PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [{ ...resourceRule(['*'], '*', ['*']), clusterScope: true }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }
}

/** In all namespaces, and nothing outside of them. */
function resourceRule(verbs: string[], apiGroup: string, resources: string[]): ResourcePolicyRule {
  return { verbs, apiGroups: [apiGroup], resources, namespaces: ['*'] }
}

const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const everybody = (): Subject[] => groups('system:unauthenticated', 'system:authenticated')
const accounts = (...names: string[]): Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } }))
