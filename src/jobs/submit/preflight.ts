import { UserError } from '../../errors.ts'
import {
  compareQuantities,
  completedPod,
  type LimitRange,
  needOf,
  type Node,
  parseQuantity,
  type Persisted,
  type PersistentVolumeClaim,
  type Pod,
  podRequests,
  type ResourceQuota,
  tolerates,
  unstatedResources,
} from '../../kube/index.ts'
import { amountInWords, joinWords, resourceName } from '../amounts.ts'
import type { RolePlan } from '../kinds/kind.ts'
import type { AnyJobKind } from '../kinds/table.ts'

/** What a job is checked against before it is made. Absent parts could not be read and are not checked. */
export interface PreflightFacts {
  readonly quotas?: readonly Persisted<ResourceQuota>[]
  readonly limitRanges?: readonly Persisted<LimitRange>[]
  readonly nodes?: readonly Persisted<Node>[]
  readonly claims?: readonly Persisted<PersistentVolumeClaim>[]
  readonly namespaceLabels?: Readonly<Record<string, string>>
  readonly now: number
}

/** The job that is about to be made. */
export interface PreflightJob {
  readonly name: string
  readonly namespace: string
  readonly kind: Pick<AnyJobKind, 'resourceFlag'>
  readonly roles: readonly RolePlan[]
}

/**
 * Refuses what can never run, with the numbers; makes nothing.
 *
 * @throws {UserError} `REQUESTS_MISSING`, `NEVER_FITS`, `VOLUME_UNAVAILABLE`, `POD_FORBIDDEN`
 */
export function checkBeforeSubmit(job: PreflightJob, facts: PreflightFacts): void {
  checkClaims(job, facts)
  checkPodSecurity(job, facts)
  checkRequests(job, facts)
  checkQuotas(job, facts)
  checkNodes(job, facts)
}

function checkClaims(job: PreflightJob, { claims }: PreflightFacts): void {
  if (claims === undefined) return
  const wanted = new Set(
    job.roles.flatMap(({ pod }) =>
      (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
        persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
      ),
    ),
  )
  for (const name of wanted) {
    const claim = claims.find(({ metadata }) => metadata.name === name)
    if (claim === undefined) {
      const there = claims.map(({ metadata }) => metadata.name).join(', ')
      throw new UserError('VOLUME_UNAVAILABLE', `volume "${name}" is no volume of ${job.namespace}`, {
        hint: there === '' ? `${job.namespace} has no volumes` : `use one of: ${there}`,
      })
    }
    if (claim.metadata.deletionTimestamp !== undefined) {
      throw new UserError('VOLUME_UNAVAILABLE', `volume "${name}" of ${job.namespace} is being removed`, {
        hint: 'mount another volume, see: arena data list',
      })
    }
  }
}

function checkPodSecurity(job: PreflightJob, { namespaceLabels = {} }: PreflightFacts): void {
  const level = namespaceLabels['pod-security.kubernetes.io/enforce']
  if (level !== 'baseline' && level !== 'restricted') return
  for (const { pod } of job.roles) {
    const { spec } = pod
    const flags = [
      ...((spec?.volumes ?? []).some(({ hostPath }) => hostPath !== undefined) ? ['--data-dir'] : []),
      ...(spec?.hostNetwork === true ? ['--hostNetwork'] : []),
      ...(spec?.hostIPC === true ? ['--hostIPC'] : []),
      ...(spec?.hostPID === true ? ['--hostPID'] : []),
      ...((spec?.containers ?? []).some(({ securityContext }) => securityContext?.capabilities?.add?.length)
        ? ['--rdma']
        : []),
    ]
    if (flags.length === 0) continue
    throw new UserError(
      'POD_FORBIDDEN',
      `jobs of ${job.namespace} may not reach into the machine they run on, as ${joinWords(flags)} would`,
      {
        hint: flags.includes('--data-dir')
          ? 'mount a volume of the group with --data, see: arena data list'
          : `leave out ${joinWords(flags)}`,
      },
    )
  }
}

function checkRequests(job: PreflightJob, facts: PreflightFacts): void {
  const defaults = defaultedResources(facts.limitRanges ?? [])
  const flags: string[] = []
  const missing = new Set<string>()
  for (const quota of facts.quotas ?? []) {
    const keys = Object.keys(quota.spec?.hard ?? {}).filter((key) => !defaults.has(key))
    for (const { role, pod } of job.roles) {
      const text = unstatedResources(completedPod(pod), keys) ?? ''
      for (const resource of ['cpu', 'memory'] as const) {
        if (!new RegExp(`\\b${resource}\\b`).test(text)) continue
        missing.add(resource === 'cpu' ? 'CPU' : 'memory')
        const flag = job.kind.resourceFlag(role, resource)
        if (!flags.includes(flag)) flags.push(flag)
      }
    }
  }
  if (flags.length === 0) return
  const what = joinWords([...missing])
  throw new UserError(
    'REQUESTS_MISSING',
    `job "${job.name}" does not say how much ${what} it wants, which group ${job.namespace} must know because its quota limits ${what}`,
    { hint: `add ${joinWords(flags.map((flag) => `${flag}=${flag.includes('cpu') ? '2' : '4Gi'}`))}` },
  )
}

/** Quota keys that a limit range fills in for containers that name nothing. */
function defaultedResources(limitRanges: readonly Persisted<LimitRange>[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const item of limitRanges.flatMap(({ spec }) => spec?.limits ?? [])) {
    if (item.type !== 'Container') continue
    for (const name of Object.keys({ ...item.default, ...item.defaultRequest, ...item.max })) {
      keys.add(name).add(`requests.${name}`)
    }
    for (const name of Object.keys({ ...item.default, ...item.max })) keys.add(`limits.${name}`)
  }
  return keys
}

function checkQuotas(job: PreflightJob, facts: PreflightFacts): void {
  const pods = job.roles.map(({ pod, replicas }) => ({ pod, count: replicas }))
  const sentences = (facts.quotas ?? []).flatMap((quota) =>
    [...needOf(pods, quota, facts.now)].flatMap(([key, needed]) => {
      const limit = parseQuantity(quota.spec?.hard?.[key] ?? '0')
      if (compareQuantities(needed, limit) <= 0) return []
      const most = `all that group ${job.namespace} may ever use is ${amountInWords(key, limit)}`
      return [`needs ${amountInWords(key, needed)}, and ${most} (quota ${quota.metadata.name})`]
    }),
  )
  if (sentences.length === 0) return
  throw new UserError('NEVER_FITS', `job "${job.name}" ${joinWords(sentences)}`, {
    hint: `ask for less, or ask your admin to raise the quota of ${job.namespace}`,
  })
}

function checkNodes(job: PreflightJob, { nodes }: PreflightFacts): void {
  if (nodes === undefined || nodes.length === 0) return
  for (const { role, pod } of job.roles) {
    const suitable = nodes.filter((node) => mayRunOn(pod, node))
    // A node that suits may join later; one that is large enough is another matter.
    if (suitable.length === 0) continue
    const requests = Object.entries(podRequests(pod))
    const fits = suitable.some((node) =>
      requests.every(
        ([name, amount]) =>
          compareQuantities(amount, parseQuantity(node.status?.allocatable?.[name] ?? '0')) <= 0,
      ),
    )
    if (fits) continue
    throw new UserError('NEVER_FITS', tooLarge(job, role, requests, suitable), {
      hint: `ask for less per pod, or spread the work over several workers; see: arena top node`,
    })
  }
}

function tooLarge(
  job: PreflightJob,
  role: string,
  requests: readonly [string, Parameters<typeof amountInWords>[1]][],
  nodes: readonly Persisted<Node>[],
): string {
  const parts = requests.flatMap(([name, amount]) => {
    const sorted = [...nodes].sort((a, b) => compareQuantities(allocatable(b, name), allocatable(a, name)))
    const [largest] = sorted
    if (largest === undefined || compareQuantities(amount, allocatable(largest, name)) <= 0) return []
    const most = allocatable(largest, name)
    return [
      most.nanos === 0n
        ? `${amountInWords(name, amount)}, and no node has any ${resourceName(name)}`
        : `${amountInWords(name, amount)}, and the largest node, ${largest.metadata.name}, has ${amountInWords(name, most)}`,
    ]
  })
  if (parts.length > 0) return `each ${role} of job "${job.name}" needs ${joinWords(parts)}`
  const all = requests.map(([name, amount]) => amountInWords(name, amount))
  return `each ${role} of job "${job.name}" needs ${joinWords(all)} together, which no node has`
}

function allocatable(node: Persisted<Node>, name: string): ReturnType<typeof parseQuantity> {
  return parseQuantity(node.status?.allocatable?.[name] ?? '0')
}

/** May the pod run there, as far as labels and lasting taints decide? */
function mayRunOn(pod: Pod, node: Persisted<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  const selector = Object.entries(pod.spec?.nodeSelector ?? {})
  if (!selector.every(([key, value]) => labels[key] === value)) return false
  return (node.spec?.taints ?? []).every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      // Kubernetes' own taints come and go with the node's health.
      taint.key.startsWith('node.kubernetes.io/') ||
      tolerates(pod.spec?.tolerations ?? [], taint),
  )
}
