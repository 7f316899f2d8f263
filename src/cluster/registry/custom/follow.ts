import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { isStatus, type KubeObject, timestamp } from '../../../kube/index.ts'
import { HistoryGone, type Store } from '../../storage/index.ts'
import type { Catalog } from '../catalog.ts'
import { prefixOf } from '../keys.ts'
import type { Writer } from '../reader.ts'
import { establishedStatus, isEstablished } from './naming.ts'
import { definitionsOf } from './resource-definition.ts'
import type { WebhookCaller } from '../webhooks/index.ts'

const resource = 'apiextensions.k8s.io/customresourcedefinitions'

export interface FollowParts {
  readonly store: Store<KubeObject>
  readonly writer: Writer
  readonly catalog: Catalog
  /** Calls those who convert. */
  readonly webhooks: WebhookCaller
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  now(): number
  onFault(error: unknown): void
}

/**
 * Serves what CRDs define, for as long as they are there: those of an earlier run before it returns, later ones as they
 * come. Accepts their names and establishes them.
 */
export function followDefinitions(parts: FollowParts): void {
  const { store, catalog, signal, webhooks: caller } = parts
  const served = new Set<string>()
  const serve = (name: string, crd: CustomResourceDefinition | undefined): void => {
    const definitions = crd !== undefined && isEstablished(crd) ? definitionsOf(crd, { caller, signal }) : []
    if (definitions.length === 0 && !served.has(name)) return
    if (definitions.length === 0) served.delete(name)
    else served.add(name)
    catalog.serveCustom(name, definitions)
  }
  const serveAll = (): number => {
    const { revision } = store
    const present = new Set<string>()
    for (const { value } of store.scan(prefixOf(resource, undefined))) {
      const name = value.metadata.name ?? ''
      present.add(name)
      serve(name, asDefinition(value))
    }
    for (const name of served) if (!present.has(name)) serve(name, undefined)
    return revision
  }
  const establishAll = async (): Promise<void> => {
    for (const { value } of store.scan(prefixOf(resource, undefined)))
      await establish(parts, asDefinition(value))
  }
  const follow = async (): Promise<void> => {
    let after = serveAll()
    await establishAll()
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch(prefixOf(resource, undefined), { after, signal })) {
          for (const { current, previous, revision } of changes) {
            after = revision
            const name = (current ?? previous)?.value.metadata.name ?? ''
            serve(name, current && asDefinition(current.value))
            if (current !== undefined) await establish(parts, asDefinition(current.value))
            // Names that were taken may be free now.
            else await establishAll()
          }
        }
      } catch (error) {
        if (!(error instanceof HistoryGone)) throw error
        after = serveAll()
      }
    }
  }
  follow().catch((error: unknown) => {
    if (!signal.aborted) parts.onFault(error)
  })
}

async function establish({ store, writer, now }: FollowParts, crd: CustomResourceDefinition): Promise<void> {
  if (crd.metadata?.deletionTimestamp !== undefined) return
  const others = function* (): Generator<CustomResourceDefinition> {
    for (const { value } of store.scan(prefixOf(resource, undefined))) yield asDefinition(value)
  }
  if (establishedStatus(crd, others(), timestamp(now())) === undefined) return
  try {
    await writer.update(resource, undefined, crd.metadata?.name ?? '', (current) => {
      const status = establishedStatus(asDefinition(current), others(), timestamp(now()))
      return status === undefined ? undefined : { ...current, status }
    })
  } catch (error) {
    // Deleted meanwhile.
    if (!isStatus(error, 'NotFound')) throw error
  }
}

function asDefinition(object: object): CustomResourceDefinition {
  return object as CustomResourceDefinition
}
