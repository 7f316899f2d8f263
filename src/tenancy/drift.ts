import { setTimeout } from 'node:timers/promises'
import { type KubeClient, kinds, listWatch, ownSignal, type Subject } from '../kube/index.ts'
import { ruledKinds } from './objects/desired.ts'
import { labels, ownershipSelector } from './objects/ownership.ts'
import type { Org } from './org.ts'

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

/**
 * Yields once at the start, and again whenever an object of the organisation or any binding changes, or a minute has
 * passed, as grants may expire without anything changing. Goes on over failures of the server; ends with the signal.
 */
export async function* watchOrganisation(
  organisation: string,
  client: KubeClient,
  signal: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  const own = ownSignal(signal)
  let wake: () => void = () => undefined
  let isAwake = true
  const changed = (): void => {
    isAwake = true
    wake()
  }
  const watching = ruledKinds.map(async (type) => {
    // Bindings beside the file give rights too, whatever their labels are.
    const isBinding = type.kind === 'RoleBinding' || type.kind === 'ClusterRoleBinding'
    const labelSelector = ownershipSelector(organisation)
    let isSynced = false
    for await (const change of listWatch(client, type, {
      ...(!isBinding && { labelSelector }),
      signal: own,
      // The next look tells what is wrong.
      onError: changed,
    })) {
      if (change.type === 'SYNCED') isSynced = true
      else if (isSynced) changed()
    }
  })
  while (!own.aborted) {
    if (!isAwake) {
      const woken = new AbortController()
      wake = () => woken.abort()
      await pause(60_000, AbortSignal.any([own, woken.signal]))
    }
    // One deed often touches several objects.
    await pause(200, own)
    isAwake = false
    if (!own.aborted) yield
  }
  await Promise.all(watching)
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
