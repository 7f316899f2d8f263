import { isStatus, type KubeClient, kinds, labelValueFaults, StatusError } from '../kube/index.ts'
import { identityAnnotations, userIdOf } from './labels.ts'

/** Who the server says is asking. */
export interface Self {
  /** In full, as in `system:serviceaccount:dev1:bob`. */
  readonly username: string
  /** As people say it: `bob`. Fit for a label. */
  readonly name: string
  /** Set for service accounts. */
  readonly account?: { readonly namespace: string; readonly name: string }
  readonly groups: readonly string[]
}

/** What processes of a job run as. Left out: as the image says. */
export interface LinuxIdentity {
  readonly uid?: number
  readonly gid?: number
  readonly groups: readonly number[]
}

/** Asks the server who is asking. */
export async function reviewSelf(client: KubeClient, signal?: AbortSignal): Promise<Self> {
  const review = await client.create(
    kinds.selfSubjectReviews,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal === undefined ? {} : { signal },
  )
  const { username = '', groups = [] } = review.status?.userInfo ?? {}
  return { ...selfOf(username), groups }
}

/** Takes a user name apart. */
function selfOf(username: string): Omit<Self, 'groups'> {
  const [, namespace, accountName] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? []
  const plain = accountName ?? username.split(':').at(-1) ?? username
  // A name that no label can hold, such as an e-mail address, stands there as its id.
  const name = plain !== '' && labelValueFaults(plain).length === 0 ? plain : userIdOf(username)
  return {
    username,
    name,
    ...(namespace !== undefined &&
      accountName !== undefined && { account: { namespace, name: accountName } }),
  }
}

/** Reads the user's Linux id from the account and the group's from the namespace, as far as they may be read. */
export async function readIdentity(
  client: KubeClient,
  self: Self,
  options: { namespaceAnnotations: Readonly<Record<string, string>>; signal?: AbortSignal },
): Promise<LinuxIdentity> {
  const account =
    self.account === undefined
      ? undefined
      : await readable(
          client.get(kinds.serviceAccounts, self.account, options.signal ? { signal: options.signal } : {}),
        )
  const uid = idOf(account?.metadata.annotations?.[identityAnnotations.uid])
  const gid = idOf(options.namespaceAnnotations[identityAnnotations.gid])
  const groups = (options.namespaceAnnotations[identityAnnotations.groups] ?? '')
    .split(',')
    .map((text) => idOf(text.trim()))
    .filter((id): id is number => id !== undefined && id !== gid)
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }), groups }
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

/** The answer, or nothing where the user may not look or there is nothing to see. */
export async function readable<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isStatus(error, 'Forbidden') || isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

/** True when the server does not serve the kind at all, rather than not having the one object. */
export function isUnservedKind(error: unknown): boolean {
  return error instanceof StatusError && error.code === 404 && error.status.details?.name === undefined
}
