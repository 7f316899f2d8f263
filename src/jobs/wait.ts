import { UserError } from '../errors.ts'
import { type KubeClient, startInformer } from '../kube/index.ts'
import type { JobState } from './kinds/kind.ts'
import type { AnyJobKind } from './kinds/table.ts'
import { jobNotFound } from './observe/read-jobs.ts'

/** How a job ended. */
export interface JobEnd {
  readonly state: JobState
  readonly message: string
}

/**
 * Waits until a job has ended.
 *
 * @throws {UserError} `NOT_FOUND` when it is deleted in the meantime.
 */
export async function waitForEnd(
  client: KubeClient,
  kind: AnyJobKind,
  at: { readonly namespace: string; readonly name: string },
  options: { readonly signal: AbortSignal },
): Promise<JobEnd> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, options.signal])
  const jobs = startInformer(client, kind.resource, {
    namespace: at.namespace,
    fieldSelector: `metadata.name=${at.name}`,
    signal,
  })
  try {
    return await new Promise<JobEnd>((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true })
      jobs.subscribe((change) => {
        if (change.type === 'SYNCED') {
          if (jobs.objects.size === 0) reject(jobNotFound(at))
          return
        }
        if (change.type === 'DELETED') {
          reject(
            new UserError('NOT_FOUND', `job "${at.name}" was deleted before it ended`, {
              hint: `see what is there: arena list -n ${at.namespace}`,
            }),
          )
          return
        }
        const state = kind.stateOf(change.object)
        if (state !== 'SUCCEEDED' && state !== 'FAILED') return
        const condition = change.object.status?.conditions?.find(
          ({ type, status }) => status === 'True' && type.toUpperCase() === state,
        )
        resolve({ state, message: `job "${at.name}" ${state}: ${condition?.message ?? ''}` })
      })
    })
  } finally {
    stop.abort()
    await jobs.stopped
  }
}
