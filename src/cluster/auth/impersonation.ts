import type { UserInfo } from '../registry/index.ts'
import { badRequest, StatusError } from '../../kube/index.ts'
import { type Attributes, type Authorizer, refusal, type ResourceAttributes } from './authorizer.ts'
import {
  accountGroups,
  accountOfUserName,
  mastersGroup,
  nodeOfUserName,
  nodesGroup,
  withImpliedGroups,
} from './users.ts'

const authenticationGroup = 'authentication.k8s.io'
const extraPrefix = 'impersonate-extra-'
const rememberedModes = 1024
/** From so many values on, one question about all of them is asked first. */
const manyValues = 4

/** Header values by lower-case name, each as it was sent (`IncomingMessage.headersDistinct` fits). */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>

/** Lets users who may do so act as somebody else (the `Impersonate-*` headers). */
export interface Impersonator {
  /**
   * The user to go on as: `user` itself when the headers ask for nobody else. `attributes` is the request as `user` made it.
   *
   * @throws {StatusError} `Forbidden` when the user may not, `BadRequest` when the headers name no user.
   */
  impersonate(attributes: Attributes, headers: DistinctHeaders): UserInfo
}

/** Cheap test whether {@link Impersonator} has anything to do. */
export function asksForImpersonation(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true
  return false
}

/**
 * One way to be allowed to act as somebody else. The constrained ways need two rights: to be that kind of user
 * (`impersonate:<mode>`) and to do this very request as such (`impersonate-on:<mode>:<verb>`); the last, oldest way needs
 * only `impersonate` (https://kep.k8s.io/5284).
 */
interface Mode {
  readonly name: string
  readonly isConstrained: boolean
  suits(wanted: UserInfo, requestor: UserInfo): boolean
}

const modes: readonly Mode[] = [
  {
    name: 'associated-node',
    isConstrained: true,
    suits: (wanted, requestor) => {
      const node = nodeOfUserName(wanted.name)
      const own = requestor.extra?.['authentication.kubernetes.io/node-name']
      return (
        isNameAlone(wanted) &&
        node !== undefined &&
        accountOfUserName(requestor.name) !== undefined &&
        own?.length === 1 &&
        own[0] === node
      )
    },
  },
  {
    name: 'arbitrary-node',
    isConstrained: true,
    suits: (wanted) => isNameAlone(wanted) && nodeOfUserName(wanted.name) !== undefined,
  },
  {
    name: 'serviceaccount',
    isConstrained: true,
    suits: (wanted) => isNameAlone(wanted) && accountOfUserName(wanted.name) !== undefined,
  },
  {
    name: 'user-info',
    isConstrained: true,
    suits: (wanted) =>
      nodeOfUserName(wanted.name) === undefined && accountOfUserName(wanted.name) === undefined,
  },
  { name: 'legacy', isConstrained: false, suits: () => true },
]

export function createImpersonator(authorizer: Authorizer): Impersonator {
  // The way that worked last for a user is tried first, and its refusal is the one that is told.
  const lastMode = new Map<string, Mode>()

  function assertAllowed(attributes: Attributes): void {
    const decision = authorizer.authorize(attributes)
    if (!decision.allowed) throw refusal(attributes, decision.reason)
  }

  function tryMode(mode: Mode, wanted: UserInfo, attributes: Attributes): UserInfo {
    if (mode.isConstrained)
      assertAllowed({ ...attributes, verb: `impersonate-on:${mode.name}:${attributes.verb}` })
    const requestor = attributes.user
    const user = assertName(mode, wanted, requestor)
    if (wanted.uid) assertAllowed(question(mode, requestor, authenticationGroup, 'uids', wanted.uid))
    assertGroups(mode, wanted.groups, requestor)
    assertExtra(mode, wanted.extra ?? {}, requestor)
    return withImpliedGroups(user)
  }

  function assertName(mode: Mode, wanted: UserInfo, requestor: UserInfo): UserInfo {
    const group = mode.isConstrained ? authenticationGroup : ''
    const node = nodeOfUserName(wanted.name)
    if (mode.isConstrained && node !== undefined) {
      const asked = mode.name === 'associated-node' ? '*' : node
      assertAllowed(question(mode, requestor, group, 'nodes', asked))
      return { ...wanted, groups: [nodesGroup] }
    }
    const account = accountOfUserName(wanted.name)
    if (!account) {
      assertAllowed(question(mode, requestor, group, 'users', wanted.name))
      return wanted
    }
    assertAllowed({
      ...question(mode, requestor, group, 'serviceaccounts', account.name),
      namespace: account.namespace,
    })
    return wanted.groups.length > 0 ? wanted : { ...wanted, groups: accountGroups(account.namespace) }
  }

  function assertGroups(mode: Mode, groups: readonly string[], requestor: UserInfo): void {
    const about = (name: string): ResourceAttributes =>
      question(mode, requestor, mode.isConstrained ? authenticationGroup : '', 'groups', name)
    if (mode.isConstrained) {
      if (groups.includes('')) throw refusal(about(''), 'impersonating the empty string group is not allowed')
      if (groups.includes(mastersGroup))
        throw refusal(about(mastersGroup), 'impersonating the system:masters group is not allowed')
      if (groups.length >= manyValues && authorizer.authorize(about('*')).allowed) return
    }
    for (const group of groups) assertAllowed(about(group))
  }

  function assertExtra(
    mode: Mode,
    extra: Readonly<Record<string, readonly string[]>>,
    requestor: UserInfo,
  ): void {
    const about = (key: string, value: string): ResourceAttributes => ({
      ...question(mode, requestor, authenticationGroup, 'userextras', value),
      ...(key && { subresource: key }),
    })
    const entries = Object.entries(extra)
    if (mode.isConstrained) {
      for (const [key, values] of entries) {
        const fault = extraFault(key, values)
        if (fault) throw refusal(about('', ''), fault)
      }
      const count = entries.reduce((sum, [, values]) => sum + values.length, 0)
      if (count >= manyValues && authorizer.authorize(about('*', '*')).allowed) return
    }
    for (const [key, values] of entries) for (const value of values) assertAllowed(about(key, value))
  }

  return {
    impersonate(attributes, headers) {
      const wanted = wantedUser(headers)
      if (!wanted) return attributes.user
      const key = JSON.stringify([attributes.user.name, attributes.user.groups])
      const last = lastMode.get(key)
      const order = last ? [last, ...modes.filter((mode) => mode !== last)] : modes
      let first: StatusError | undefined
      for (const mode of order) {
        if (!mode.suits(wanted, attributes.user)) continue
        try {
          const user = tryMode(mode, wanted, attributes)
          if (lastMode.size >= rememberedModes) lastMode.clear()
          lastMode.set(key, mode)
          return user
        } catch (error) {
          if (!(error instanceof StatusError)) throw error
          first ??= error
        }
      }
      throw first ?? refusal(attributes, 'all impersonation modes failed')
    },
  }
}

function question(
  mode: Mode,
  user: UserInfo,
  group: string,
  resource: string,
  name: string,
): ResourceAttributes {
  return {
    user,
    verb: mode.isConstrained ? `impersonate:${mode.name}` : 'impersonate',
    group,
    resource,
    ...(name && { name }),
  }
}

/** @throws {StatusError} `BadRequest` when there is more than a name but no name. */
function wantedUser(headers: DistinctHeaders): UserInfo | undefined {
  const name = headers['impersonate-user']?.[0] ?? ''
  const uid = headers['impersonate-uid']?.[0] ?? ''
  const groups = headers['impersonate-group'] ?? []
  const extra: Record<string, string[]> = {}
  let hasExtra = false
  for (const [header, values] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue
    hasExtra = true
    const key = unescaped(header.slice(extraPrefix.length))
    const known = Object.hasOwn(extra, key) ? (extra[key] ?? []) : []
    Object.defineProperty(extra, key, {
      value: [...known, ...(values ?? [])],
      enumerable: true,
      configurable: true,
    })
  }
  if (!name) {
    if (uid || groups.length > 0 || hasExtra)
      throw badRequest(
        `requested ${JSON.stringify({ name, uid, groups, extra })} without impersonating a user name`,
      )
    return undefined
  }
  return { name, ...(uid && { uid }), groups: [...groups], ...(hasExtra && { extra }) }
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    // A stray percent sign is part of the name, as in Kubernetes.
    return key
  }
}

function isNameAlone(user: UserInfo): boolean {
  return !user.uid && user.groups.length === 0 && Object.keys(user.extra ?? {}).length === 0
}

function extraFault(key: string, values: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed'
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/\S+$/.test(key))
    return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`
  if (values.length === 0) return 'impersonating empty values in extra is not allowed'
  if (values.includes('')) return 'impersonating the empty string value in extra is not allowed'
  return undefined
}
