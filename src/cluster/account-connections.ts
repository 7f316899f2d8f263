import type { KubeObject } from '../kube/index.ts'
import { accountOfUserName, accountUserName } from './auth/index.ts'
import { keyOf, prefixOf, type UserInfo } from './registry/index.ts'
import { HistoryGone, type Store } from './storage/index.ts'

const resource = '/serviceaccounts'

/** A connection as it matters here (`net.Socket` fits). */
export interface Connection {
  /** Not `destroy`: HTTP/2 hands out sockets that refuse it. */
  destroySoon(): unknown
}

export interface AccountConnections {
  /** A request of the user begins on the connection. The function returned says that it has been answered. */
  begin(connection: Connection, user: UserInfo): () => void
}

/**
 * Ends what a service account has running when it goes: its tokens are refused from then on, but a watch, a followed log or a
 * shell that began before would go on for as long as the client likes. Connections on which nothing runs are left: their next
 * request is told why it is refused.
 */
export function createAccountConnections(options: {
  readonly store: Store<KubeObject>
  readonly signal: AbortSignal
  onFault(error: unknown): void
}): AccountConnections {
  const { store, signal } = options
  /** Requests under way, by user and connection. */
  const running = new Map<string, Map<Connection, number>>()

  function end(userName: string): void {
    for (const connection of running.get(userName)?.keys() ?? []) connection.destroySoon()
    running.delete(userName)
  }

  function endAllThatWent(): void {
    for (const userName of running.keys()) {
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

  function count(userName: string, connection: Connection, difference: number): void {
    const connections = running.get(userName) ?? new Map<Connection, number>()
    const requests = (connections.get(connection) ?? 0) + difference
    if (requests > 0) connections.set(connection, requests)
    else connections.delete(connection)
    if (connections.size > 0) running.set(userName, connections)
    else running.delete(userName)
  }

  return {
    begin(connection, user) {
      if (accountOfUserName(user.name) === undefined) return () => undefined
      count(user.name, connection, 1)
      let isOpen = true
      const done = (): void => {
        if (isOpen) count(user.name, connection, -1)
        isOpen = false
      }
      return done
    },
  }
}
