import { UserError } from '../errors.ts'
import { isStatus, type KubeClient } from '../kube/index.ts'
import { isUnservedKind } from './identity.ts'
import { selectKinds } from './kinds/table.ts'
import { jobNotFound } from './observe/read-jobs.ts'

/** Told of each job as it goes. */
export type Deletion =
  | { readonly name: string; readonly type: 'deleted'; readonly kind: string }
  | { readonly name: string; readonly type: 'failed'; readonly error: unknown }

/** Deletes jobs, one after the other; a failure does not keep the others from going. */
export async function* deleteJobs(
  client: KubeClient,
  at: { readonly namespace: string; readonly names: readonly string[] },
  options: { readonly type?: string; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Deletion, void, undefined> {
  const kinds = selectKinds(options.type)
  for (const name of at.names) {
    options.signal?.throwIfAborted()
    try {
      yield { name, type: 'deleted', kind: await deleteOne({ namespace: at.namespace, name }) }
    } catch (error) {
      yield { name, type: 'failed', error }
    }
  }

  async function deleteOne(job: { namespace: string; name: string }): Promise<string> {
    for (const kind of kinds) {
      try {
        await client.delete(kind.resource, job, {
          propagationPolicy: 'Background',
          ...(options.signal && { signal: options.signal }),
        })
        return kind.name
      } catch (error) {
        if (isStatus(error, 'NotFound') || isUnservedKind(error)) continue
        if (isStatus(error, 'Forbidden')) {
          throw new UserError('FORBIDDEN', error.message, {
            hint: `job "${job.name}" is not yours to delete: arena list -n ${job.namespace} shows what is`,
            cause: error,
          })
        }
        throw error
      }
    }
    throw jobNotFound(job)
  }
}
