import {
  type ObjectIdentity,
  kinds,
  type KubeClient,
  type ResourceType,
  type SharedInformer,
  type SharedInformers,
} from '../../kube/index.ts'

/** A kind of object that the server serves, as discovery shows it. */
export interface ServedResource extends ResourceType {
  readonly verbs: readonly string[]
}

export interface ServedResources {
  /** All kinds that can be listed and watched, each in the version its group prefers. */
  list(): readonly ServedResource[]
  find(group: string, kind: string): ServedResource | undefined
  /** Asks the server anew. */
  refresh(): Promise<readonly ServedResource[]>
  /** Calls for each kind there is and for each that comes later, with an informer of its objects' identities. */
  follow(listener: (resource: ServedResource, objects: SharedInformer<ObjectIdentity>) => void): void
  /** Settles when the first answer is in and all its informers have their lists. */
  readonly synced: Promise<void>
}

interface ResourceListing {
  readonly groupVersion?: string
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs?: readonly string[]
  }[]
}

interface GroupListing {
  readonly groups?: readonly {
    readonly name: string
    readonly preferredVersion?: { readonly groupVersion: string }
    readonly versions?: readonly { readonly groupVersion: string }[]
  }[]
}

/** CRDs are established in bursts: one look at discovery serves them all. */
const settleMs = 50

/**
 * What the server serves, kept up to date as custom resource definitions come and go. Events are left out: they come
 * by the thousand, belong to nobody and go by themselves.
 */
export function followServedResources(
  client: KubeClient,
  informers: SharedInformers,
  options: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): ServedResources {
  const { signal, onError } = options
  const served = new Map<string, { resource: ServedResource; objects?: SharedInformer<ObjectIdentity> }>()
  const listeners: ((resource: ServedResource, objects: SharedInformer<ObjectIdentity>) => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let asking: Promise<readonly ServedResource[]> | undefined

  async function ask(): Promise<readonly ServedResource[]> {
    const found = await discover(client, signal)
    const present = new Set(found.map(idOf))
    for (const [id, { resource }] of served) {
      if (present.has(id)) continue
      served.delete(id)
      informers.drop(resource)
    }
    for (const resource of found) {
      if (served.has(idOf(resource))) continue
      if (!isFollowed(resource)) {
        served.set(idOf(resource), { resource })
        continue
      }
      const objects = informers.identities(resource)
      served.set(idOf(resource), { resource, objects })
      for (const listener of listeners) listener(resource, objects)
    }
    return [...served.values()].map((entry) => entry.resource)
  }

  function refresh(): Promise<readonly ServedResource[]> {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }

  function soon(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void refresh().catch(retry), settleMs)
  }

  function retry(error: unknown): void {
    if (signal.aborted) return
    onError(error)
    timer = setTimeout(() => void refresh().catch(retry), 1000)
  }

  const definitions = informers.of(kinds.customResourceDefinitions)
  definitions.subscribe((change) => {
    if (change.type !== 'MODIFIED' || isServedDifferently(change.previous, change.object)) soon()
  })
  const synced = (async () => {
    await refresh().catch(retry)
    await Promise.all([...served.values()].map((entry) => entry.objects?.synced))
  })()
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })

  return {
    list: () => [...served.values()].map((entry) => entry.resource),
    find(group, kind) {
      for (const { resource } of served.values()) {
        if (resource.kind === kind && resource.group === group) return resource
      }
      return undefined
    },
    refresh,
    follow(listener) {
      for (const { resource, objects } of served.values())
        if (objects !== undefined) listener(resource, objects)
      listeners.push(listener)
    },
    synced,
  }
}

function idOf(resource: ResourceType): string {
  return `${resource.group}/${resource.plural}`
}

function isFollowed(resource: ServedResource): boolean {
  return (
    resource.plural !== 'events' && ['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb))
  )
}

function isServedDifferently(before: object, after: object): boolean {
  const view = (definition: { spec?: unknown; status?: { conditions?: unknown } }): string =>
    JSON.stringify([definition.spec, definition.status?.conditions])
  return view(before) !== view(after)
}

async function discover(client: KubeClient, signal: AbortSignal): Promise<ServedResource[]> {
  const groups = await getJson<GroupListing>(client, '/apis', signal)
  const paths = ['/api/v1', ...(groups.groups ?? []).map(preferredPath)]
  const found = await Promise.all(
    paths.map(async (path) => {
      const listing = await getJson<ResourceListing>(client, path, signal)
      const [group, version] = path === '/api/v1' ? ['', 'v1'] : path.slice('/apis/'.length).split('/')
      return (listing.resources ?? [])
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced, verbs = [] }) => ({
          group: group ?? '',
          version: version ?? '',
          plural: name,
          kind,
          namespaced,
          verbs,
        }))
    }),
  )
  return found.flat()
}

function preferredPath(group: NonNullable<GroupListing['groups']>[number]): string {
  return `/apis/${group.preferredVersion?.groupVersion ?? group.versions?.[0]?.groupVersion ?? group.name}`
}

async function getJson<T>(client: KubeClient, path: string, signal: AbortSignal): Promise<T> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' }, signal })
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  if (response.status !== 200)
    throw new Error(`discovery of ${path} answered ${response.status}: ${text.slice(0, 200)}`)
  return JSON.parse(text) as T
}
