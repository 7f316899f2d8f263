import { compareQuantities, type KubeClient, kinds, type Persisted, type Pod } from '../../kube/index.ts'
import { shortQuotaKey } from '../file/quota-keys.ts'
import { labels } from '../objects/ownership.ts'
import type { Change } from './change.ts'
import type { PlanOptions } from './plan.ts'

/** Running jobs that a plan touches, in words. */
export async function jobEffects(
  changes: readonly Change[],
  client: KubeClient,
  { signal, jobsOf }: Pick<PlanOptions, 'signal' | 'jobsOf'> = {},
): Promise<string[]> {
  const touching = changes.filter(touchesJobs)
  const namespaces = new Set(touching.map((change) => change.namespace ?? change.name))
  if (namespaces.size === 0) return []
  const effects: string[] = []
  for (const namespace of namespaces) {
    const options = { namespace, ...(signal && { signal }) }
    const [pods, quotas] = await Promise.all([
      client.list(kinds.pods, options),
      client.list(kinds.resourceQuotas, options),
    ])
    const running = pods.items.filter(
      ({ status }) => status?.phase === 'Running' || status?.phase === 'Pending',
    )
    const used = new Map(quotas.items.map((quota) => [quota.metadata.name, quota.status?.used ?? {}]))
    for (const change of touching) {
      if ((change.namespace ?? change.name) !== namespace) continue
      effects.push(...effectsOf(change, running, used.get(change.name) ?? {}, jobsOf))
    }
  }
  return [...new Set(effects)]
}

function touchesJobs(change: Change): boolean {
  switch (change.type.kind) {
    case 'Namespace':
    case 'ServiceAccount':
      return change.action === 'delete'
    case 'PersistentVolumeClaim':
      return change.action === 'delete' || change.action === 'replace'
    case 'ResourceQuota':
      return change.action === 'update' || change.action === 'adopt' || change.action === 'create'
    default:
      return false
  }
}

function effectsOf(
  change: Change,
  running: readonly Persisted<Pod>[],
  used: Readonly<Record<string, string>>,
  jobsOf: PlanOptions['jobsOf'],
): string[] {
  if (change.type.kind === 'Namespace') {
    return namesOf(running).map((job) => `job ${change.name}/${job} ends: its group goes`)
  }
  if (change.type.kind === 'ServiceAccount') {
    const owned = running.filter(({ metadata }) => metadata.labels?.['arena.dev/owner'] === change.name)
    const fate = jobsOf?.user === change.name ? jobsOf.fate : `goes on without its owner ${change.name}`
    return namesOf(owned).map((job) => `job ${change.namespace}/${job} ${fate}`)
  }
  if (change.type.kind === 'PersistentVolumeClaim') {
    const mounting = running.filter(({ spec }) =>
      spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === change.name),
    )
    const volume = change.labels[labels.volume] ?? change.name
    return namesOf(mounting).map(
      (job) => `job ${change.namespace}/${job} uses volume ${volume} until it ends`,
    )
  }
  return Object.entries(hardOf(change.object)).flatMap(([key, limit]) => {
    const amount = used[key]
    if (amount === undefined || compareQuantities(amount, limit) <= 0) return []
    const jobs = namesOf(running).slice(0, 10).join(', ')
    return [
      `group ${change.namespace} uses ${shortQuotaKey(key)} ${amount} of ${limit}: running jobs (${jobs}) go on, new ones wait`,
    ]
  })
}

function hardOf(object: object | undefined): Record<string, string> {
  const spec: unknown = object === undefined ? undefined : Reflect.get(object, 'spec')
  const hard: unknown = typeof spec === 'object' && spec !== null ? Reflect.get(spec, 'hard') : undefined
  const entries = typeof hard === 'object' && hard !== null ? Object.entries(hard) : []
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
}

function namesOf(pods: readonly Persisted<Pod>[]): string[] {
  return [
    ...new Set(
      pods.map(({ metadata }) => metadata.labels?.['training.kubeflow.org/job-name'] ?? metadata.name),
    ),
  ].sort()
}
