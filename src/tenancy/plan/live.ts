import {
  isStatus,
  type KubeClient,
  type KubeObject,
  type ObjectMeta,
  type ResourceType,
} from '../../kube/index.ts'
import { labels, manager, ownershipSelector } from '../objects/ownership.ts'
import { type DesiredObject, ruledKinds } from '../objects/desired.ts'
import { keyOf } from './change.ts'

/** An object as the cluster has it. */
export interface LiveObject {
  readonly type: ResourceType
  readonly namespace?: string
  readonly name: string
  readonly metadata: ObjectMeta
  readonly object: Readonly<Record<string, unknown>>
}

/** What the cluster has of an organisation. */
export interface Live {
  /** Objects with the organisation's labels. */
  readonly owned: ReadonlyMap<string, LiveObject>
  /** Objects of others that have a name which the organisation needs. */
  readonly foreign: ReadonlyMap<string, LiveObject>
}

/**
 * Reads with one list call for each kind, and a second one for kinds of which something is missing, to see whether
 * somebody else's object has the name.
 */
export async function readLive(
  client: KubeClient,
  organisation: string,
  desired: readonly DesiredObject[],
  signal?: AbortSignal,
): Promise<Live> {
  const owned = new Map<string, LiveObject>()
  const foreign = new Map<string, LiveObject>()
  const wanted = new Map(desired.map((object) => [keyOf(object), object]))
  await Promise.all(
    ruledKinds.map(async (type) => {
      for (const found of await listAll(client, type, {
        labelSelector: ownershipSelector(organisation),
        signal,
      })) {
        owned.set(keyOf(found), found)
      }
      const isMissing = desired.some((object) => isOfType(object, type) && !owned.has(keyOf(object)))
      if (!isMissing) return
      for (const found of await listAll(client, type, { signal })) {
        const key = keyOf(found)
        if (wanted.has(key) && !owned.has(key)) foreign.set(key, found)
      }
    }),
  )
  return { owned, foreign }
}

function isOfType(object: DesiredObject, type: ResourceType): boolean {
  return object.type.plural === type.plural && object.type.group === type.group
}

const pageSize = 2000

async function listAll(
  client: KubeClient,
  type: ResourceType,
  options: { labelSelector?: string; signal: AbortSignal | undefined },
): Promise<LiveObject[]> {
  const found: LiveObject[] = []
  let next: string | undefined
  do {
    const page = await client.list(type, {
      limit: pageSize,
      ...(options.labelSelector !== undefined && { labelSelector: options.labelSelector }),
      // A signal of its own: many requests at once would look like a leak of listeners on the shared one.
      ...(options.signal && { signal: AbortSignal.any([options.signal]) }),
      ...(next !== undefined && { continue: next }),
    })
    for (const item of page.items) found.push(toLive(type, item))
    next = page.metadata.continue || undefined
  } while (next !== undefined)
  return found
}

function toLive(type: ResourceType, object: KubeObject): LiveObject {
  const { name = '', namespace } = object.metadata
  return { type, name, metadata: object.metadata, object, ...(namespace !== undefined && { namespace }) }
}

/** Who an object belongs to, for messages. */
export function holderOf(live: LiveObject): string {
  const found = live.metadata.labels ?? {}
  if (found[labels.managedBy] === manager) {
    return `belongs to organisation "${found[labels.organisation] ?? 'unknown'}"`
  }
  const other = found[labels.managedBy]
  return other === undefined ? 'was not made by arena' : `is managed by "${other}"`
}

/** Who wrote to an object, as far as the object itself tells. */
export interface Writer {
  readonly manager: string
  readonly time: string
}

/** The newest entry of somebody else in the object's own record of writers. */
export function lastWriter({ managedFields = [] }: ObjectMeta): Writer | undefined {
  const [newest] = managedFields
    .filter(
      (entry) => entry.manager !== manager && entry.subresource === undefined && entry.time !== undefined,
    )
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))
  return newest && { manager: newest.manager ?? 'unknown', time: newest.time ?? '' }
}

/** Is the object gone? */
export async function isGone(
  client: KubeClient,
  object: Pick<LiveObject, 'type' | 'namespace' | 'name'>,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await client.get(object.type, at(object), signal && { signal })
    return false
  } catch (error) {
    if (isStatus(error, 'NotFound')) return true
    throw error
  }
}

/** Where an object lives, as the client wants it. */
export function at(object: { namespace?: string; name: string }): { namespace?: string; name: string } {
  return { name: object.name, ...(object.namespace !== undefined && { namespace: object.namespace }) }
}
