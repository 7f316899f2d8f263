import type { UserInfo } from '../registry/index.ts'

export const mastersGroup = 'system:masters'
const authenticatedGroup = 'system:authenticated'
const unauthenticatedGroup = 'system:unauthenticated'
export const nodesGroup = 'system:nodes'
const anonymousName = 'system:anonymous'
const accountPrefix = 'system:serviceaccount:'
const nodePrefix = 'system:node:'

/** Who asks without credentials. */
export const anonymousUser: UserInfo = Object.freeze({
  name: anonymousName,
  groups: Object.freeze([unauthenticatedGroup]),
})

export interface AccountName {
  readonly namespace: string
  readonly name: string
}

/** `system:serviceaccount:dev1:bob`: the user that a service account is. */
export function accountUserName(account: AccountName): string {
  return `${accountPrefix}${account.namespace}:${account.name}`
}

/** The groups that the service accounts of a namespace are in, besides `system:authenticated`. */
export function accountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

/** The service account a user name stands for, or undefined when it is another kind of user. */
export function accountOfUserName(userName: string): AccountName | undefined {
  if (!userName.startsWith(accountPrefix)) return undefined
  const [namespace, name, ...rest] = userName.slice(accountPrefix.length).split(':')
  if (namespace === undefined || name === undefined || rest.length > 0) return undefined
  return isLabel(namespace) && isSubdomain(name) ? { namespace, name } : undefined
}

/** The node a user name stands for. */
export function nodeOfUserName(userName: string): string | undefined {
  if (!userName.startsWith(nodePrefix)) return undefined
  const name = userName.slice(nodePrefix.length)
  return isSubdomain(name) ? name : undefined
}

/** The user with `system:authenticated` among the groups, as every user with credentials has it. */
export function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(authenticatedGroup)) return user
  if (user.name === anonymousName || user.groups.includes(unauthenticatedGroup)) return user
  return { ...user, groups: [...user.groups, authenticatedGroup] }
}

/** Completes the groups of a user that was impersonated. */
export function withImpliedGroups(user: UserInfo): UserInfo {
  const implied = user.name === anonymousName ? unauthenticatedGroup : authenticatedGroup
  if (user.groups.includes(implied)) return user
  if (user.name !== anonymousName && user.groups.includes(unauthenticatedGroup)) return user
  return { ...user, groups: [...user.groups, implied] }
}

/** `authentication.k8s.io/v1 UserInfo` as reviews show it. */
export function shownUser(user: UserInfo): {
  username: string
  uid?: string
  groups?: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
} {
  return {
    username: user.name,
    ...(user.uid && { uid: user.uid }),
    ...(user.groups.length > 0 && { groups: user.groups }),
    ...(user.extra && Object.keys(user.extra).length > 0 && { extra: user.extra }),
  }
}

function isLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)
}

function isSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part))
}
