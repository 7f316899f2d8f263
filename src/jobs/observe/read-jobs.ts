import { UserError } from '../../errors.ts'
import { type KubeClient, kinds, type Persisted, type Pod, type ResourceQuota } from '../../kube/index.ts'
import { isUnservedKind, readable } from '../identity.ts'
import type { JobObject } from '../kinds/kind.ts'
import { type AnyJobKind, selectKinds } from '../kinds/table.ts'
import { observeJobs, type ObservedJob } from './observed.ts'

/** Whose jobs to read, and of which kinds. */
export interface ReadOptions {
  /** All namespaces when left out. */
  readonly namespace?: string
  /** `--type` */
  readonly type?: string
  readonly signal?: AbortSignal
}

/** Jobs with what is needed to say why they wait. */
export interface JobsRead {
  readonly jobs: readonly ObservedJob[]
  /** By namespace. Missing where they may not be read. */
  readonly quotas: ReadonlyMap<string, readonly Persisted<ResourceQuota>[]>
}

/** Reads jobs, pods and quotas in one go: one request each. */
export async function readJobs(client: KubeClient, options: ReadOptions): Promise<JobsRead> {
  const where = {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.signal && { signal: options.signal }),
  }
  const chosen = selectKinds(options.type)
  const [podList, quotaList, ...lists] = await Promise.all([
    client.list(kinds.pods, where),
    readable(client.list(kinds.resourceQuotas, where)),
    ...chosen.map((kind) => listKind(client, kind, where)),
  ])
  const pods: readonly Persisted<Pod>[] = podList.items
  const quotas = new Map<string, Persisted<ResourceQuota>[]>()
  for (const quota of quotaList?.items ?? []) {
    const namespace = quota.metadata.namespace ?? ''
    quotas.set(namespace, [...(quotas.get(namespace) ?? []), quota])
  }
  return { jobs: chosen.flatMap((kind, index) => observeJobs(kind, lists[index] ?? [], pods)), quotas }
}

async function listKind(
  client: KubeClient,
  kind: AnyJobKind,
  where: { namespace?: string; signal?: AbortSignal },
): Promise<readonly Persisted<JobObject>[]> {
  try {
    return (await client.list(kind.resource, where)).items
  } catch (error) {
    // A cluster without this operator has no jobs of its kind.
    if (isUnservedKind(error)) return []
    throw error
  }
}

/**
 * Reads one job with everything around it in its namespace.
 *
 * @throws {UserError} `NOT_FOUND`; `USAGE` when jobs of several types have the name.
 */
export async function readJob(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string },
  options: { readonly type?: string; readonly signal?: AbortSignal } = {},
): Promise<JobsRead & { readonly job: ObservedJob }> {
  const read = await readJobs(client, { ...options, namespace: at.namespace })
  const found = read.jobs.filter(({ name }) => name === at.name)
  const [job, another] = found
  if (job === undefined) throw jobNotFound(at)
  if (another !== undefined) {
    const types = found.map(({ kind }) => kind.name).join(', ')
    throw new UserError('USAGE', `${found.length} jobs are called "${at.name}": ${types}`, {
      hint: `say which: --type ${job.kind.name}`,
    })
  }
  return { ...read, job }
}

export function jobNotFound(at: { readonly namespace: string; readonly name: string }): UserError {
  return new UserError(
    'NOT_FOUND',
    `there is no job "${at.name}" in ${at.namespace}, or it is not yours to see`,
    {
      hint: `see: arena list -n ${at.namespace}`,
    },
  )
}
