import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  isStatus,
  type KubeClient,
  kinds,
  type Persisted,
  type PersistentVolumeClaim,
} from '../../kube/index.ts'
import { quotaReason } from '../explain/explain.ts'
import { isUnservedKind, readable, readIdentity, reviewSelf, type Self } from '../identity.ts'
import type { JobKind, JobObject } from '../kinds/kind.ts'
import { configMapsOf } from '../kinds/pod-template.ts'
import { type AnyJobKind, selectKinds } from '../kinds/table.ts'
import { identityAnnotations, jobLabels, runtimeLabel } from '../labels.ts'
import { isFinished, observeJobs, type ObservedJob } from '../observe/observed.ts'
import { checkBeforeSubmit, type PreflightFacts } from './preflight.ts'
import { QuotaLine } from '../explain/quota-line.ts'
import type { Reason } from '../explain/reason.ts'
import type { JobSpec } from './spec.ts'

/** Where a job goes, and what is only tried. */
export interface SubmitOptions {
  /** Check and build, but create nothing. */
  readonly dryRun?: boolean
  readonly now: Date
  readonly workingDirectory: string
  readonly signal?: AbortSignal
}

/** What became of a submission. */
export interface Submission {
  readonly kind: AnyJobKind
  readonly name: string
  readonly namespace: string
  /** In the order in which they are made. */
  readonly objects: readonly object[]
  /** Why the job has to wait at first; nothing when there is room for it. */
  readonly waits?: Reason
  readonly notes: readonly string[]
}

/**
 * Checks a job against the group's quota, volumes and the nodes, and creates it.
 *
 * @throws {UserError} `NEVER_FITS`, `REQUESTS_MISSING`, `VOLUME_UNAVAILABLE`, `POD_FORBIDDEN`, `ALREADY_EXISTS`,
 * `OPERATOR_MISSING`, `FILE_UNREADABLE`: nothing was created then.
 */
export async function submitJob<Spec extends JobSpec, T extends JobObject>(
  client: KubeClient,
  kind: JobKind<Spec, T>,
  spec: Spec,
  options: SubmitOptions,
): Promise<Submission> {
  const signal = options.signal ? { signal: options.signal } : {}
  const { self, facts, jobs, namespaceAnnotations } = await gatherFacts(client, kind, spec, options)
  const identity = await readIdentity(client, self, { namespaceAnnotations, ...signal })
  const claims = facts.claims ?? []
  const job = kind.build(spec, { owner: self, identity, readOnlyClaims: readOnlyNames(claims) })
  const roles = kind.roles(job)
  const [anyKind] = selectKinds(kind.name)
  if (anyKind === undefined) throw new Error(`job kind ${kind.name} is not in the table`)
  checkBeforeSubmit({ name: spec.name, namespace: spec.namespace, kind, roles }, facts)
  const waits = reasonToWait(spec, roles, facts, jobs)
  const configMaps = await readConfigMaps(spec, options.workingDirectory)
  const notes = notesOf(facts)
  const objects = [...configMaps, job]
  if (options.dryRun !== true) await createAll(client, kind, { spec, job, configMaps, jobs, ...signal })
  return {
    kind: anyKind,
    name: spec.name,
    namespace: spec.namespace,
    objects,
    ...(waits !== undefined && { waits }),
    notes,
  }
}

interface Gathered {
  readonly self: Self
  readonly facts: PreflightFacts
  readonly jobs: readonly ObservedJob[]
  readonly namespaceAnnotations: Readonly<Record<string, string>>
}

/** Everything that is asked of the server before a job is made, all at once. */
async function gatherFacts<Spec extends JobSpec, T extends JobObject>(
  client: KubeClient,
  kind: JobKind<Spec, T>,
  spec: JobSpec,
  options: SubmitOptions,
): Promise<Gathered> {
  const signal = options.signal ? { signal: options.signal } : {}
  const here = { namespace: spec.namespace, ...signal }
  const [self, namespace, quotas, limitRanges, nodes, claims, pods, objects] = await Promise.all([
    reviewSelf(client, options.signal),
    readable(client.get(kinds.namespaces, { name: spec.namespace }, signal)),
    readable(client.list(kinds.resourceQuotas, here)),
    readable(client.list(kinds.limitRanges, here)),
    readable(client.list(kinds.nodes, signal)),
    spec.claims.length === 0 ? undefined : readable(client.list(kinds.persistentVolumeClaims, here)),
    readable(client.list(kinds.pods, here)),
    client.list(kind.resource, here).catch((error: unknown) => {
      if (isUnservedKind(error)) throw operatorMissing(kind.name)
      if (isStatus(error, 'Forbidden')) return undefined
      throw error
    }),
  ])
  const [anyKind] = selectKinds(kind.name)
  const jobs =
    anyKind === undefined ? [] : observeJobs(anyKind, asJobs(objects?.items ?? []), pods?.items ?? [])
  return {
    self,
    jobs,
    namespaceAnnotations: namespace?.metadata.annotations ?? {},
    facts: {
      now: options.now.getTime(),
      ...(quotas && { quotas: quotas.items }),
      ...(limitRanges && { limitRanges: limitRanges.items }),
      ...(nodes && { nodes: nodes.items }),
      ...(claims && { claims: claims.items }),
      ...(namespace?.metadata.labels && { namespaceLabels: namespace.metadata.labels }),
    },
  }
}

function asJobs<T extends JobObject>(items: readonly Persisted<T>[]): readonly Persisted<JobObject>[] {
  return items as unknown as readonly Persisted<JobObject>[]
}

function operatorMissing(kind: string): UserError {
  return new UserError('OPERATOR_MISSING', `this cluster does not know jobs of type ${kind}`, {
    hint: "the admin installs Kubeflow's training operator, or starts Arena's own",
  })
}

function readOnlyNames(claims: readonly Persisted<PersistentVolumeClaim>[]): ReadonlySet<string> {
  const isReadOnly = (claim: Persisted<PersistentVolumeClaim>): boolean =>
    claim.metadata.annotations?.[identityAnnotations.access] === 'read' ||
    (claim.spec?.accessModes ?? []).every((mode) => mode === 'ReadOnlyMany')
  return new Set(claims.filter(isReadOnly).map(({ metadata }) => metadata.name))
}

function reasonToWait(
  spec: JobSpec,
  roles: ReturnType<AnyJobKind['roles']>,
  facts: PreflightFacts,
  jobs: readonly ObservedJob[],
): Reason | undefined {
  const pods = roles.map(({ pod, replicas }) => ({ pod, count: replicas }))
  const line = new QuotaLine({ jobs, quotas: facts.quotas ?? [], now: facts.now })
  const short = line.shortfalls(pods)
  return short.length === 0 ? undefined : quotaReason(spec.name, short, line.holdings(short[0]?.key ?? ''))
}

function notesOf({ nodes = [] }: PreflightFacts): string[] {
  const runsProcesses =
    nodes.length > 0 && nodes.every(({ metadata }) => metadata.labels?.[runtimeLabel] === 'process')
  return runsProcesses
    ? [
        'this cluster runs jobs as processes of its own machine: the image is recorded, not pulled, and programs are those installed there',
      ]
    : []
}

interface ConfigMapObject {
  readonly apiVersion: 'v1'
  readonly kind: 'ConfigMap'
  readonly metadata: { name: string; namespace: string; labels: Record<string, string> }
  readonly binaryData: Record<string, string>
}

async function readConfigMaps(spec: JobSpec, workingDirectory: string): Promise<ConfigMapObject[]> {
  return Promise.all(
    configMapsOf(spec).map(async ({ name, files }): Promise<ConfigMapObject> => {
      const binaryData: Record<string, string> = {}
      for (const { localPath, fileName } of files) {
        binaryData[fileName] = (await readLocal(resolve(workingDirectory, localPath))).toString('base64')
      }
      return {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: spec.namespace, labels: { [jobLabels.release]: spec.name } },
        binaryData,
      }
    }),
  )
}

async function readLocal(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UserError('FILE_UNREADABLE', `file "${path}" of --config-file cannot be read`, {
      hint: 'check the path: it is taken from the directory in which arena runs',
      cause: error,
    })
  }
}

interface Creation<T> {
  readonly spec: JobSpec
  readonly job: T
  readonly configMaps: readonly ConfigMapObject[]
  readonly jobs: readonly ObservedJob[]
  readonly signal?: AbortSignal
}

async function createAll<Spec extends JobSpec, T extends JobObject>(
  client: KubeClient,
  kind: JobKind<Spec, T>,
  creation: Creation<T>,
): Promise<void> {
  const { spec, job, configMaps, jobs } = creation
  const signal = creation.signal ? { signal: creation.signal } : {}
  const existing = jobs.find(({ name }) => name === spec.name)
  if (existing !== undefined) throw alreadyExists(spec, existing)
  // Before the job: its pods must find their files. They are given to the job, which takes them along when it goes.
  for (const configMap of configMaps) {
    await client.create(kinds.configMaps, configMap, { namespace: spec.namespace, ...signal })
  }
  try {
    const created = await client.create(kind.resource, job, { namespace: spec.namespace, ...signal })
    const owner = {
      apiVersion: `${kind.resource.group}/${kind.resource.version}`,
      kind: kind.resource.kind,
      name: spec.name,
      uid: created.metadata.uid,
    }
    for (const { metadata } of configMaps) {
      await client.patch(
        kinds.configMaps,
        { namespace: spec.namespace, name: metadata.name },
        { type: 'merge', patch: { metadata: { ownerReferences: [owner] } } },
        signal,
      )
    }
  } catch (error) {
    for (const { metadata } of configMaps) {
      await readable(client.delete(kinds.configMaps, { namespace: spec.namespace, name: metadata.name }))
    }
    if (isStatus(error, 'AlreadyExists')) throw alreadyExists(spec)
    if (isUnservedKind(error)) throw operatorMissing(kind.name)
    if (isStatus(error, 'Forbidden') && error.message.includes('exceeded quota')) {
      throw tooManyJobs(spec, jobs, error)
    }
    throw error
  }
}

/** A quota on the number of jobs is full; unlike one on what they use, it lets no further job wait. */
function tooManyJobs(spec: JobSpec, jobs: readonly ObservedJob[], cause: Error): UserError {
  const ended = jobs.filter(isFinished).map(({ name }) => name)
  const numbers = cause.message.slice(cause.message.indexOf('exceeded quota'))
  return new UserError('QUOTA_FULL', `group ${spec.namespace} has as many jobs as it may have: ${numbers}`, {
    hint:
      ended.length === 0
        ? 'wait for a job to end, then delete it with: arena delete NAME'
        : `delete jobs that have ended: arena delete -n ${spec.namespace} ${ended.slice(0, 5).join(' ')}`,
    cause,
  })
}

function alreadyExists(spec: JobSpec, existing?: ObservedJob): UserError {
  const state = existing === undefined ? '' : ` (${existing.state})`
  return new UserError('ALREADY_EXISTS', `job "${spec.name}" exists already in ${spec.namespace}${state}`, {
    hint: `choose another --name, or delete it first: arena delete ${spec.name} -n ${spec.namespace}`,
  })
}
