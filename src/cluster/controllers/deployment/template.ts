import type { Deployment, Persisted, ReplicaSet } from '../../../kube/index.ts'

export type Owner = Persisted<Deployment>
export type OwnerSpec = NonNullable<Deployment['spec']>
export type OwnerStatus = NonNullable<Deployment['status']>
export type Generation = Persisted<ReplicaSet>
export type PodTemplate = NonNullable<OwnerSpec['template']>

export const ownKind = { apiVersion: 'apps/v1', kind: 'Deployment' }
export const hashLabel = 'pod-template-hash'

/** Do two templates make the same pods? The label that tells replica sets apart does not count. */
export function isSameTemplate(left: PodTemplate | undefined, right: PodTemplate | undefined): boolean {
  return textOf(left) === textOf(right)
}

/** A short name for what a template says; another one for every collision that has been met. */
export function templateHash(template: PodTemplate | undefined, collisions: number | undefined): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(`${textOf(template)}${collisions ?? ''}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  return [...String(hash)].map((digit) => harmless[digit.charCodeAt(0) % harmless.length]).join('')
}

/** Without vowels and what looks like them: no bad words in names. */
const harmless = 'bcdfghjklmnpqrstvwxz2456789'

function textOf(template: PodTemplate | undefined): string {
  const { [hashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {}
  return sortedText({ ...template, metadata: { ...template?.metadata, labels } })
}

/** The same text for the same content: fields in order, absent ones and null ones and empty lists left out. */
function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  const fields = Object.entries(value)
    .filter(
      ([, field]) => field !== undefined && field !== null && !(Array.isArray(field) && field.length === 0),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${sortedText(field)}`).join(',')}}`
}
