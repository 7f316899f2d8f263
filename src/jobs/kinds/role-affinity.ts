import type { PodSpec } from '../../kube/index.ts'
import { jobLabels } from '../labels.ts'

/** Whether pods of a role keep apart or keep together, and whether they must. */
export interface AffinityRule {
  readonly policy: 'none' | 'spread' | 'binpack'
  readonly isRequired: boolean
}

const topologyKey = 'kubernetes.io/hostname'

/** The affinity of a role's pods; only pods of the same job count, never those of other people. */
export function roleAffinity(
  rule: AffinityRule,
  of: { readonly job: string; readonly role: string },
): PodSpec['affinity'] | undefined {
  if (rule.policy === 'none') return undefined
  const sameJob = { [jobLabels.release]: of.job }
  const sameRole = { ...sameJob, [jobLabels.replicaType]: of.role }
  const term = (matchLabels: Record<string, string>) => ({ labelSelector: { matchLabels }, topologyKey })
  const weighted = (weight: number, matchLabels: Record<string, string>) => ({
    weight,
    podAffinityTerm: term(matchLabels),
  })
  if (rule.policy === 'spread') {
    return {
      podAntiAffinity: rule.isRequired
        ? { requiredDuringSchedulingIgnoredDuringExecution: [term(sameRole)] }
        : { preferredDuringSchedulingIgnoredDuringExecution: [weighted(100, sameRole)] },
    }
  }
  return {
    podAffinity: rule.isRequired
      ? { requiredDuringSchedulingIgnoredDuringExecution: [term(sameJob)] }
      : {
          preferredDuringSchedulingIgnoredDuringExecution: [weighted(100, sameJob), weighted(30, sameRole)],
        },
  }
}
