import { deleteJobs, jobAnnotations, jobKinds, jobLabels, userIdOf } from '../jobs/index.ts'
import { type KubeClient, StatusError } from '../kube/index.ts'
import type { User } from './org.ts'

/** A job of somebody who leaves, and what became of it. */
export interface SettledJob {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly outcome: 'stopped' | 'kept' | 'handed over' | 'failed'
  readonly reason?: string
}

/** What becomes of the jobs of somebody who leaves. */
export type JobDecision = { readonly do: 'stop' | 'keep' } | { readonly do: 'hand-to'; readonly user: User }

/** Stops, keeps or hands over every job that a user owns, in all namespaces, or those of them that are named. */
export async function settleJobs(
  client: KubeClient,
  owner: string,
  decision: JobDecision,
  only?: readonly Pick<SettledJob, 'namespace' | 'name'>[],
): Promise<readonly SettledJob[]> {
  const settled: SettledJob[] = []
  for (const kind of jobKinds) {
    const { items } = await client
      .list(kind.resource, { labelSelector: `${jobLabels.owner}=${owner}` })
      .catch((error: unknown) => {
        // A cluster without the operator has none of its jobs either.
        if (error instanceof StatusError && error.code === 404) return { items: [] }
        throw error
      })
    for (const { metadata } of items) {
      const job = { kind: kind.name, namespace: metadata.namespace ?? '', name: metadata.name }
      if (only?.some((each) => each.namespace === job.namespace && each.name === job.name) === false) continue
      try {
        if (decision.do === 'stop') await stop(client, job)
        else if (decision.do === 'hand-to') {
          await client.patch(kind.resource, job, {
            type: 'merge',
            patch: { metadata: ownedBy(decision.user) },
          })
        }
        const outcomes = { stop: 'stopped', keep: 'kept', 'hand-to': 'handed over' } as const
        settled.push({ ...job, outcome: outcomes[decision.do] })
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        if (error.reason === 'NotFound') continue
        settled.push({ ...job, outcome: 'failed', reason: error.message })
      }
    }
  }
  return settled
}

async function stop(client: KubeClient, job: { namespace: string; name: string }): Promise<void> {
  for await (const deletion of deleteJobs(client, { namespace: job.namespace, names: [job.name] })) {
    if (deletion.type === 'failed') throw deletion.error
  }
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
