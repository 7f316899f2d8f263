import type { Pod, PodAffinityTerm } from 'kubernetes-types/core/v1.js'
import type { LabelSelector } from 'kubernetes-types/meta/v1.js'
import type { Of } from '../define.ts'

type Labels = Readonly<Record<string, string>>

/**
 * Writes what `matchLabelKeys` and `mismatchLabelKeys` mean for this pod into the selectors beside them: who places the
 * pod looks at the selectors alone.
 */
export function mergeLabelKeys({ metadata, spec }: Of<Pod>): void {
  const labels = metadata.labels ?? {}
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? []) {
    if (labelSelector) require(labelSelector, 'In', matchLabelKeys, labels)
  }
  for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of affinityTerms(spec?.affinity)) {
    if (!labelSelector) continue
    require(labelSelector, 'In', matchLabelKeys, labels)
    require(labelSelector, 'NotIn', mismatchLabelKeys, labels)
  }
}

function affinityTerms(affinity: NonNullable<Of<Pod>['spec']>['affinity']): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
  ])
}

function require(
  selector: LabelSelector,
  operator: 'In' | 'NotIn',
  keys: readonly string[] | undefined,
  labels: Labels,
): void {
  for (const key of keys ?? []) {
    const value = labels[key]
    if (value === undefined) continue
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }]
  }
}
