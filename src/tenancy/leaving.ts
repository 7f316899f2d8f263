import { UserError } from '../errors.ts'
import { jobAnnotations, jobLabels, userIdOf } from '../jobs/index.ts'
import { manifestOf } from './manifest.ts'
import {
  isStatus,
  type JsonObject,
  type KubeClient,
  type KubeObject,
  kinds,
  type Persisted,
  type ResourceType,
  StatusError,
} from '../kube/index.ts'
import type { User } from './org.ts'

/** A job of somebody who leaves, and what became of it. */
export interface SettledJob {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid?: string
  /** `begun` until it is known how it went. */
  readonly outcome: 'begun' | 'stopped' | 'kept' | 'handed over' | 'failed'
  readonly reason?: string
}

/** What becomes of the jobs of somebody who leaves. */
export type JobDecision = { readonly do: 'stop' | 'keep' } | { readonly do: 'hand-to'; readonly user: User }

/** The group of the training operator: each of its kinds is a job. */
const jobGroup = 'kubeflow.org'

/** A job that somebody owns. */
export interface OwnedJob {
  readonly job: SettledJob
  /** What creates it anew. */
  readonly manifest: unknown
}

/** What jobs are made of, those first that own others. */
const dependentTypes = [untyped(kinds.jobs), untyped(kinds.pods)]

/** What a user owns, in all namespaces, as it has to be dealt with; nothing is touched yet. */
export async function findOwnedJobs(client: KubeClient, owner: string): Promise<readonly OwnedJob[]> {
  const found: OwnedJob[] = []
  for (const type of await jobTypes(client)) {
    const { items } = await client
      .list(type, { labelSelector: `${jobLabels.owner}=${owner}` })
      .catch((error: unknown) => {
        if (error instanceof StatusError && error.code === 404) return { items: [] }
        throw error
      })
    for (const item of items) {
      const { metadata } = item
      // Whatever has a controller lives and dies with it.
      if (metadata.ownerReferences?.some((reference) => reference.controller === true) === true) continue
      const { name, namespace = '', uid } = metadata
      const job: SettledJob = { kind: type.kind, namespace, name, uid, outcome: 'begun' }
      found.push({ job, manifest: manifestOf(type, item) })
    }
  }
  return found
}

/** Stops, keeps or hands over jobs that were found. Those that are dealt with already count as such. */
export async function settleJobs(
  client: KubeClient,
  jobs: readonly SettledJob[],
  decision: JobDecision,
): Promise<readonly SettledJob[]> {
  if (decision.do === 'keep') return jobs.map((job) => ({ ...job, outcome: 'kept' }))
  const types = await jobTypes(client)
  const settled: SettledJob[] = []
  for (const { reason: _earlier, ...job } of jobs) {
    const type = types.find((each) => each.kind.toLowerCase() === job.kind.toLowerCase())
    const outcome = decision.do === 'stop' ? 'stopped' : 'handed over'
    if (type === undefined) {
      settled.push({ ...job, outcome: 'failed', reason: 'the cluster no longer serves this kind' })
      continue
    }
    try {
      const reason =
        decision.do === 'hand-to'
          ? await handOver(client, type, job, decision.user)
          : await stop(client, type, job)
      settled.push({ ...job, outcome, ...(reason !== undefined && { reason }) })
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      // One that was stopped before is gone, or its name belongs to another one by now.
      const isGone = error.reason === 'NotFound' || error.reason === 'Conflict'
      if (isGone && decision.do === 'stop') settled.push({ ...job, outcome })
      else settled.push({ ...job, outcome: 'failed', reason: error.message })
    }
  }
  return settled
}

async function stop(client: KubeClient, type: ResourceType, job: SettledJob): Promise<undefined> {
  await client.delete(type, job, {
    propagationPolicy: 'Background',
    ...(job.uid !== undefined && { preconditions: { uid: job.uid } }),
  })
}

/** Returns what of it still names the former owner, in words. */
async function handOver(
  client: KubeClient,
  type: ResourceType,
  job: SettledJob,
  user: User,
): Promise<string | undefined> {
  const current = await client.get(type, job)
  const former = current.metadata.labels?.[jobLabels.owner] ?? user.name
  const kept = await handDependentsOver(client, { ...job, uid: current.metadata.uid }, { former, user })
  // With the uid in it, a newer job of the same name is refused by the server.
  const metadata = job.uid === undefined ? current.metadata : { ...current.metadata, uid: job.uid }
  if (await giveTo(client, type, { ...current, metadata }, { former, user })) kept.push(job.name)
  if (kept.length === 0) return undefined
  return `pods that ${kept.join(', ')} makes from now on still name ${former}: the template of a job that has started cannot change`
}

/**
 * The pods of a job, and the jobs of a cron job. They come first: what names the former owner leads here again. Returns the
 * names of those that go on making pods in the former owner's name.
 */
async function handDependentsOver(
  client: KubeClient,
  job: SettledJob,
  to: { readonly former: string; readonly user: User },
): Promise<string[]> {
  const owners = new Set([job.uid])
  const kept: string[] = []
  for (const type of dependentTypes) {
    const { items } = await client.list(type, { namespace: job.namespace, labelSelector: jobLabels.owner })
    for (const item of items) {
      const { name, uid, labels, ownerReferences } = item.metadata
      const controller = ownerReferences?.find((reference) => reference.controller === true)
      if (!owners.has(controller?.uid)) continue
      owners.add(uid)
      if (labels?.[jobLabels.owner] !== to.former) continue
      try {
        if (await giveTo(client, type, item, to)) kept.push(name)
      } catch (error) {
        // Pods come and go while their job runs.
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
      }
    }
  }
  return kept
}

/** Gives one object and its templates the new owner. Returns whether the templates of one that goes on had to stay. */
async function giveTo(
  client: KubeClient,
  type: ResourceType,
  object: Persisted<KubeObject>,
  { former, user }: { readonly former: string; readonly user: User },
): Promise<boolean> {
  const { name, namespace, uid } = object.metadata
  const at = { name, ...(namespace !== undefined && { namespace }) }
  const metadata = { ...ownedBy(user), ...(uid !== undefined && { uid }) }
  const spec = type.kind === 'Pod' ? undefined : templatesOwnedBy(object['spec'], former, user)
  if (spec !== undefined) {
    try {
      await client.patch(type, at, { type: 'merge', patch: { metadata, spec } })
      return false
    } catch (error) {
      // Kubernetes lets the template of a job change only as long as it is suspended and has never run.
      if (type.kind !== 'Job' || !isStatus(error, 'Invalid')) throw error
    }
  }
  await client.patch(type, at, { type: 'merge', patch: { metadata } })
  return spec !== undefined && field(object['status'], 'completionTime') === undefined && !hasFailed(object)
}

function hasFailed(job: KubeObject): boolean {
  const conditions = field(job['status'], 'conditions')
  return (
    Array.isArray(conditions) &&
    conditions.some((each) => field(each, 'type') === 'Failed' && field(each, 'status') === 'True')
  )
}

/** A patch that gives the templates in a spec the new owner, so that pods made from now on name that one too. */
function templatesOwnedBy(spec: unknown, former: string, user: User): JsonObject | undefined {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return undefined
  const patch: JsonObject = {}
  for (const [name, value] of Object.entries(spec)) {
    const inner = templatesOwnedBy(value, former, user)
    const isTemplate = name === 'template' || name === 'jobTemplate'
    const isTheirs =
      isTemplate && field(field(field(value, 'metadata'), 'labels'), jobLabels.owner) === former
    if (inner === undefined && !isTheirs) continue
    patch[name] = { ...inner, ...(isTheirs && { metadata: ownedBy(user) }) }
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

function untyped({ group, version, plural, kind, namespaced }: Omit<ResourceType, 'shape'>): ResourceType {
  return { group, version, plural, kind, namespaced }
}

/** Kinds that people run things with: those of the training operator that this cluster serves, and the built-in ones. */
async function jobTypes(client: KubeClient): Promise<readonly ResourceType[]> {
  const builtIn = [untyped(kinds.cronJobs), ...dependentTypes]
  const group = await discover(client, `/apis/${jobGroup}`)
  const version = field(field(group, 'preferredVersion'), 'version')
  if (typeof version !== 'string') return builtIn
  const served = field(await discover(client, `/apis/${jobGroup}/${version}`), 'resources')
  const training: ResourceType[] = []
  for (const resource of Array.isArray(served) ? served : []) {
    const plural = field(resource, 'name')
    const kind = field(resource, 'kind')
    if (typeof plural !== 'string' || typeof kind !== 'string' || plural.includes('/')) continue
    if (field(resource, 'namespaced') !== true) continue
    training.push({ group: jobGroup, version, plural, kind, namespaced: true })
  }
  return [...training, ...builtIn]
}

/** A page of discovery, or nothing where the cluster does not serve it. */
async function discover(client: KubeClient, path: string): Promise<unknown> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  if (response.status === 404) return undefined
  if (response.status !== 200) {
    throw new UserError(
      'REJECTED',
      `the kinds of jobs could not be read: ${path} answered ${response.status}`,
      {
        hint: 'run the same command again; it goes on where it stopped',
      },
    )
  }
  return JSON.parse(text)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** Who a job belongs to is read from these; what it runs as does not change while it runs. */
function ownedBy(user: User): { labels: Record<string, string>; annotations: Record<string, string> } {
  const username = `system:serviceaccount:${user.home}:${user.name}`
  return {
    labels: { [jobLabels.owner]: user.name, [jobLabels.userId]: userIdOf(username) },
    annotations: {
      [jobAnnotations.username]: username,
      [jobAnnotations.originalUsername]: username,
    },
  }
}
