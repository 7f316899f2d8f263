import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { type KubeClient, kinds, type Subject } from '../kube/index.ts'
import { ruledKinds } from './objects/desired.ts'
import { labels, ownershipSelector } from './objects/ownership.ts'
import type { Org } from './org.ts'
import { type Change, keyOf } from './plan/change.ts'

/** Groups of the API server that every account is in. */
const everybody = ['system:serviceaccounts', 'system:authenticated']

/** What every cluster gives to everybody. Told by name, as a label can be put on anything. */
const givenToEverybody = new Set([
  'system:basic-user',
  'system:discovery',
  'system:public-info-viewer',
  'system:service-account-issuer-discovery',
])

/** A right that somebody gave by hand, beside the organisation file. */
export interface Stranger {
  readonly binding: string
  readonly namespace?: string
  readonly gives: string
  readonly to: readonly string[]
}

/**
 * Finds bindings that the file does not know: in its groups, or for its users anywhere, by name or as some of all
 * accounts. Two list calls.
 */
export async function findStrangers(org: Org, client: KubeClient, signal?: AbortSignal): Promise<Stranger[]> {
  const options = signal ? { signal } : {}
  const [bindings, clusterBindings] = await Promise.all([
    client.list(kinds.roleBindings, options),
    client.list(kinds.clusterRoleBindings, options),
  ])
  const groups = new Set(org.groups.map((group) => group.name))
  const accounts = new Set(org.users.map((user) => `${user.home}/${user.name}`))
  const crowds = new Set(everybody)
  for (const { home } of org.users) crowds.add(`system:serviceaccounts:${home}`)
  const isOurs = ({ kind, namespace, name }: Subject): boolean => {
    if (kind === 'ServiceAccount') return accounts.has(`${namespace}/${name}`)
    if (kind === 'Group') return crowds.has(name)
    const [, account] = /^system:serviceaccount:([^:]+:[^:]+)$/.exec(name) ?? []
    return account !== undefined && accounts.has(account.replace(':', '/'))
  }
  return [...bindings.items, ...clusterBindings.items].flatMap(({ metadata, roleRef, subjects = [] }) => {
    if (metadata.labels?.[labels.organisation] === org.name || subjects.length === 0) return []
    const { namespace } = metadata
    const concerns =
      (namespace !== undefined && groups.has(namespace)) ||
      (!givenToEverybody.has(roleRef.name) && subjects.some(isOurs))
    if (!concerns) return []
    const to = subjects.map(
      ({ kind, name, namespace: place }) => `${kind} ${place ? `${place}/` : ''}${name}`,
    )
    return [
      {
        binding: metadata.name,
        ...(namespace !== undefined && { namespace }),
        gives: `${roleRef.kind} ${roleRef.name}`,
        to,
      },
    ]
  })
}

/** Who did something to an object, by an audit log. */
export interface Deed {
  readonly user: string
  readonly verb: string
  readonly time: string
}

const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/**
 * Reads from an audit log in Kubernetes' format (one event on each line) who last wrote to the objects of some changes.
 *
 * @throws {UserError} `FILE_UNREADABLE`
 */
export async function lastDeeds(path: string, changes: readonly Change[]): Promise<Map<string, Deed>> {
  const wanted = new Map(
    changes.map((change) => [
      [change.type.group, change.type.plural, change.namespace ?? '', change.name].join('|'),
      keyOf(change),
    ]),
  )
  const deeds = new Map<string, Deed>()
  const lines = createInterface({
    input: createReadStream(path, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  try {
    for await (const line of lines) {
      const event = parseEvent(line)
      const key = event && wanted.get(event.object)
      if (event && key !== undefined && event.deed.time >= (deeds.get(key)?.time ?? ''))
        deeds.set(key, event.deed)
    }
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `audit log "${path}" cannot be read`, {
      hint: 'name the file that the API server writes, and run this where you may read it',
      cause,
    })
  }
  return deeds
}

function parseEvent(line: string): { object: string; deed: Deed } | undefined {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch (error) {
    // The last line of a log that is being written may be half there.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const reference = field(event, 'objectRef')
  const verb = text(field(event, 'verb'))
  const code = Number(field(field(event, 'responseStatus'), 'code') ?? 200)
  if (reference === undefined || !writes.has(verb) || code >= 300) return undefined
  // Service accounts of users carry their name in the subject; requests of arena itself repair and are no news.
  const agent = text(field(event, 'userAgent'))
  if (agent.startsWith('arena')) return undefined
  const namespaced =
    text(field(reference, 'resource')) === 'namespaces' ? '' : text(field(reference, 'namespace'))
  const object = [
    text(field(reference, 'apiGroup')),
    text(field(reference, 'resource')),
    namespaced,
    text(field(reference, 'name')),
  ]
  const time = text(field(event, 'requestReceivedTimestamp'))
  return {
    object: object.join('|'),
    deed: { user: text(field(field(event, 'user'), 'username')), verb, time },
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/**
 * Yields once at the start, and again whenever an object of the organisation changes or a minute has passed, as grants
 * may expire without anything changing. Ends with the signal.
 */
export async function* watchOrganisation(
  organisation: string,
  client: KubeClient,
  signal: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  let wake: () => void = () => undefined
  let isAwake = true
  const changed = (): void => {
    isAwake = true
    wake()
  }
  const watching = ruledKinds.map(async (type) => {
    while (!signal.aborted) {
      try {
        const events = client.watch(type, {
          labelSelector: ownershipSelector(organisation),
          signal: AbortSignal.any([signal]),
        })
        for await (const _event of events) changed()
      } catch (error) {
        if (signal.aborted) return
        // Dropped or expired: look anew, a little later.
        if (!(error instanceof Error)) throw error
        await pause(2000, signal)
        changed()
      }
    }
  })
  while (!signal.aborted) {
    if (!isAwake) {
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve
        }),
        pause(60_000, signal),
      ])
    }
    // One deed often touches several objects.
    await pause(200, signal)
    isAwake = false
    if (!signal.aborted) yield
  }
  await Promise.all(watching)
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal: AbortSignal.any([signal]), ref: true })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
