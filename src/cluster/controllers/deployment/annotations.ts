import { desiredAnnotation, maxAnnotation } from './sizes.ts'
import type { Generation, Owner } from './template.ts'

export const revisionAnnotation = 'deployment.kubernetes.io/revision'
const historyAnnotation = 'deployment.kubernetes.io/revision-history'

const mostHistoryChars = 2000

/** Annotations of a deployment that say nothing about its replica sets. */
const notCopied: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
])

type Annotations = Record<string, string>
type Revised = Pick<Generation, 'metadata'>

/** Revisions have 64 bits, of which the numbers of this language hold 53. */
export function revisionOf({ metadata }: Revised): bigint {
  return revisionIn(metadata.annotations)
}

/** One more than that of any of the sets. */
export function revisionAfter(sets: readonly Revised[]): bigint {
  return sets.map(revisionOf).reduce((most, one) => (one > most ? one : most), 0n) + 1n
}

const largestRevision = 2n ** 63n - 1n

function revisionIn(annotations: Annotations | undefined): bigint {
  const text = annotations?.[revisionAnnotation] ?? ''
  const revision = /^\d+$/.test(text) ? BigInt(text) : 0n
  return revision > largestRevision ? 0n : revision
}

/** Annotations of the newest replica set: the deployment's own, and its place in the history. */
export function newestAnnotations(
  owner: Owner,
  revision: bigint,
  before: Annotations | undefined,
): Annotations {
  const next: Annotations = { ...before }
  for (const [name, value] of Object.entries(owner.metadata.annotations ?? {})) {
    if (!notCopied.has(name)) next[name] = value
  }
  const old = before?.[revisionAnnotation]
  if (revisionIn(before) >= revision) return next
  next[revisionAnnotation] = String(revision)
  if (old !== undefined) next[historyAnnotation] = withRevision(before?.[historyAnnotation], old)
  return next
}

/** Drops the eldest where the list becomes too long. */
function withRevision(history: string | undefined, revision: string): string {
  const entries = [...(history ? history.split(',') : []), revision]
  while (entries.length > 1 && entries.join(',').length > mostHistoryChars) entries.shift()
  return entries.join(',')
}
