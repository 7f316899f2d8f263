import type { KubeObject } from '../kube/index.ts'
import { accountOfUserName, accountUserName } from './auth/index.ts'
import { keyOf, prefixOf, type UserInfo } from './registry/index.ts'
import { HistoryGone, type Store } from './storage/index.ts'

const resource = '/serviceaccounts'

/** A connection as it matters here (`net.Socket` fits). */
export interface Connection {
  /** Not `destroy`: HTTP/2 hands out sockets that refuse it. */
  destroySoon(): unknown
  once(event: 'close', listener: () => void): unknown
}

export interface AccountConnections {
  /** Told with every request; cheap when it is not the first one of the user on the connection. */
  used(connection: Connection, user: UserInfo): void
}

/**
 * Ends the connections of a service account when it goes: its tokens are refused from then on, but a watch, a followed log or
 * a shell that began before would go on for as long as the client likes.
 */
export function createAccountConnections(options: {
  readonly store: Store<KubeObject>
  readonly signal: AbortSignal
  onFault(error: unknown): void
}): AccountConnections {
  const { store, signal } = options
  const lastUser = new WeakMap<Connection, UserInfo>()
  const byUserName = new Map<string, Set<Connection>>()

  function end(userName: string): void {
    for (const connection of byUserName.get(userName) ?? []) connection.destroySoon()
    byUserName.delete(userName)
  }

  function endAllThatWent(): void {
    for (const userName of byUserName.keys()) {
      const account = accountOfUserName(userName)
      if (account && store.get(keyOf(resource, account.namespace, account.name)) === undefined) end(userName)
    }
  }

  async function follow(): Promise<void> {
    let after = store.revision
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch(prefixOf(resource, undefined), { after, signal })) {
          for (const { current, previous, revision } of changes) {
            after = revision
            const { namespace = '', name = '' } = previous?.value.metadata ?? {}
            // One that was made anew under the name, between two looks, has another uid and other tokens.
            if (current?.value.metadata.uid !== previous?.value.metadata.uid)
              end(accountUserName({ namespace, name }))
          }
        }
      } catch (error) {
        if (!(error instanceof HistoryGone)) throw error
        after = store.revision
        endAllThatWent()
      }
    }
  }
  follow().catch((error: unknown) => {
    if (!signal.aborted) options.onFault(error)
  })

  return {
    used(connection, user) {
      if (lastUser.get(connection) === user) return
      lastUser.set(connection, user)
      if (accountOfUserName(user.name) === undefined) return
      const connections = byUserName.get(user.name) ?? new Set()
      byUserName.set(user.name, connections)
      if (connections.has(connection)) return
      connections.add(connection)
      connection.once('close', () => {
        connections.delete(connection)
        if (connections.size === 0 && byUserName.get(user.name) === connections) byUserName.delete(user.name)
      })
    },
  }
}
