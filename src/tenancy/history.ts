import { gunzipSync, gzipSync } from 'node:zlib'
import { UserError } from '../errors.ts'
import { isStatus, type KubeClient, kinds, type Persisted, type Secret } from '../kube/index.ts'
import { labels, manager, nameOfOrganisation } from './objects/ownership.ts'
import { systemNamespace, systemNamespaceName } from './objects/namespace.ts'
import type { Outcome } from './plan/apply.ts'
import { isSupporting } from './plan/meaning.ts'

/** One time that an organisation file was applied. */
export interface Revision {
  readonly number: number
  /** RFC 3339. */
  readonly appliedAt: string
  /** What the cluster calls the person who did it. */
  readonly appliedBy: string
  readonly done: number
  readonly failed: number
  /** First changes, in words. */
  readonly summary: readonly string[]
  /** The file as it was. */
  readonly text: string
}

// Kept as secrets, since the file may hold hashes of passwords; the newest ones only.
const secretType = 'arena.dev/organisation-revision'
const kept = 100
const mostSummary = 20

/** Keeps what was applied, by whom and when. */
export async function recordRevision(
  client: KubeClient,
  revision: { organisation: string; text: string; outcomes: readonly Outcome[]; now: Date },
): Promise<void> {
  const { organisation, text, outcomes, now } = revision
  const [known, appliedBy] = await Promise.all([listSecrets(client, organisation), whoAmI(client)])
  await client.patch(
    kinds.namespaces,
    { name: systemNamespaceName },
    { type: 'apply', object: systemNamespace() },
    { fieldManager: manager, force: true },
  )
  const done = outcomes.filter((outcome) => outcome.result === 'done')
  const record = {
    appliedAt: now.toISOString(),
    appliedBy,
    done: done.length,
    failed: outcomes.length - done.length,
    summary: done
      .filter((outcome) => !isSupporting(outcome.change))
      .slice(0, mostSummary)
      .map((outcome) => outcome.change.meaning),
  }
  const data = {
    record: Buffer.from(JSON.stringify(record)).toString('base64'),
    file: gzipSync(text).toString('base64'),
  }
  await createNext(client, organisation, Math.max(0, ...known.map(numberOf)) + 1, data)
  for (const old of surplusOf(known)) {
    await client.delete(kinds.secrets, { namespace: systemNamespaceName, name: old.metadata.name })
  }
}

/** Somebody else may apply at the same moment: both are kept, one after the other. */
async function createNext(
  client: KubeClient,
  organisation: string,
  first: number,
  data: Record<string, string>,
): Promise<void> {
  for (let number = first; ; number += 1) {
    const metadata = {
      name: secretName(organisation, number),
      namespace: systemNamespaceName,
      labels: { ...revisionLabels(organisation), [revisionLabel]: String(number) },
    }
    const secret = { metadata, type: secretType, data }
    try {
      await client.create(kinds.secrets, secret, { namespace: systemNamespaceName, fieldManager: manager })
      return
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists') || number > first + 10) throw error
    }
  }
}

/**
 * The revisions that have to go to make room for one more: repairs first, whose file is that of the revision before, so that
 * whoever keeps changing things by hand cannot push the files of the past out.
 */
function surplusOf(known: readonly Persisted<Secret>[]): readonly Persisted<Secret>[] {
  const oldestFirst = [...known].sort((a, b) => numberOf(a) - numberOf(b))
  const isRepair = (revision: Persisted<Secret>, index: number): boolean =>
    index > 0 && revision.data?.['file'] === oldestFirst[index - 1]?.data?.['file']
  const repairs = oldestFirst.filter(isRepair)
  const others = oldestFirst.filter((revision, index) => !isRepair(revision, index))
  return [...repairs, ...others].slice(0, Math.max(0, known.length + 1 - kept))
}

function numberOf({ metadata }: Persisted<Secret>): number {
  return Number(metadata.labels?.[revisionLabel])
}

const revisionLabel = 'arena.dev/revision'

function revisionLabels(organisation: string): Record<string, string> {
  // Not the label of ruled objects: a plan must not see the history.
  return { [labels.managedBy]: manager, 'arena.dev/history-of': organisation }
}

function secretName(organisation: string, number: number): string {
  return `history.${nameOfOrganisation(organisation)}.${String(number).padStart(6, '0')}`
}

async function listSecrets(client: KubeClient, organisation: string): Promise<Persisted<Secret>[]> {
  const { items } = await client.list(kinds.secrets, {
    namespace: systemNamespaceName,
    labelSelector: `arena.dev/history-of=${organisation}`,
  })
  return items
}

async function whoAmI(client: KubeClient): Promise<string> {
  try {
    const { status } = await client.create(kinds.selfSubjectReviews, {})
    return status?.userInfo?.username ?? 'unknown'
  } catch (error) {
    // Clusters before 1.28 do not serve the review.
    if (isStatus(error, 'NotFound') || isStatus(error, 'Forbidden')) return 'unknown'
    throw error
  }
}

/** What was applied, the newest first. */
export async function listRevisions(client: KubeClient, organisation: string): Promise<Revision[]> {
  const secrets = await listSecrets(client, organisation)
  return secrets.flatMap((secret) => readRevision(secret) ?? []).sort((a, b) => b.number - a.number)
}

/** @throws {UserError} `NOT_FOUND` */
export async function findRevision(
  client: KubeClient,
  organisation: string,
  number: number,
): Promise<Revision> {
  const revisions = await listRevisions(client, organisation)
  const found = revisions.find((revision) => revision.number === number)
  if (found !== undefined) return found
  throw new UserError('NOT_FOUND', `organisation "${organisation}" has no revision ${number}`, {
    hint: 'the ones that are kept are shown by: arena org history',
  })
}

function readRevision({ metadata, data }: Persisted<Secret>): Revision | undefined {
  const { record, file } = data ?? {}
  const number = Number(metadata.labels?.[revisionLabel])
  if (record === undefined || file === undefined || !Number.isInteger(number)) return undefined
  const facts: unknown = JSON.parse(Buffer.from(record, 'base64').toString('utf8'))
  const fact = (name: string): unknown =>
    typeof facts === 'object' && facts !== null ? Reflect.get(facts, name) : undefined
  const summary = fact('summary')
  return {
    number,
    appliedAt: String(fact('appliedAt')),
    appliedBy: String(fact('appliedBy')),
    done: Number(fact('done')),
    failed: Number(fact('failed')),
    summary: Array.isArray(summary) ? summary.map(String) : [],
    text: gunzipSync(Buffer.from(file, 'base64'), { maxOutputLength: 16 * 1024 * 1024 }).toString('utf8'),
  }
}
