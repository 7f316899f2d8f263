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

export function revisionOf({ metadata }: Pick<Generation, 'metadata'>): number {
  const text = metadata.annotations?.[revisionAnnotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}

/** Annotations of the newest replica set: the deployment's own, and its place in the history. */
export function newestAnnotations(
  owner: Owner,
  revision: number,
  before: Annotations | undefined,
): Annotations {
  const next: Annotations = { ...before }
  for (const [name, value] of Object.entries(owner.metadata.annotations ?? {})) {
    if (!notCopied.has(name)) next[name] = value
  }
  const old = before?.[revisionAnnotation]
  if (Number(old ?? 0) >= revision) return next
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
