import {
  type ClusterRoleBinding,
  type KubeClient,
  kinds,
  type Namespace,
  type Persisted,
  type RoleBinding,
  type ServiceAccount,
} from '../../kube/index.ts'
import { shortQuotaKey } from '../file/quota-keys.ts'
import { annotations, labels, ownershipSelector } from '../objects/ownership.ts'
import { addClaims } from './claims.ts'
import { emptyDraft, type OrgDraft } from './draft.ts'
import { guessRole, type RuledRole } from './guess-role.ts'

/** Where to look, and what to call what is found. */
export interface ImportOptions {
  readonly organisation: string
  /** Only what an organisation file made; otherwise every namespace that looks like a group. */
  readonly ownedOnly?: boolean
  readonly signal?: AbortSignal
}

/** Reads an organisation back from namespaces, accounts, bindings, quotas and claims; made by arena or by hand. */
export async function draftFromCluster(client: KubeClient, options: ImportOptions): Promise<OrgDraft> {
  const { organisation, signal } = options
  const all = signal ? { signal } : {}
  const selected = options.ownedOnly ? { ...all, labelSelector: ownershipSelector(organisation) } : all
  const [namespaces, accounts, bindings, roles, clusterRoles, quotas, claims, volumes, wide] =
    await Promise.all([
      client.list(kinds.namespaces, selected),
      client.list(kinds.serviceAccounts, selected),
      client.list(kinds.roleBindings, selected),
      client.list(kinds.roles, all),
      client.list(kinds.clusterRoles, all),
      client.list(kinds.resourceQuotas, selected),
      client.list(kinds.persistentVolumeClaims, selected),
      client.list(kinds.persistentVolumes, all),
      client.list(kinds.clusterRoleBindings, all),
    ])
  const draft = emptyDraft(organisation)
  const people = accounts.items.filter(
    ({ metadata }) => metadata.name !== 'default' && isGroup(metadata.namespace),
  )
  for (const { metadata } of namespaces.items) {
    if (!isGroup(metadata.name)) continue
    const isUsed =
      metadata.labels?.[labels.group] !== undefined ||
      people.some((account) => account.metadata.namespace === metadata.name)
    if (!isUsed) continue
    const gid = numberIn(metadata.annotations?.[annotations.gid])
    draft.groups.set(metadata.name, { quota: {}, members: {}, ...(gid !== undefined && { gid }) })
  }
  for (const { metadata, spec } of quotas.items) {
    const group = draft.groups.get(metadata.namespace ?? '')
    for (const [key, value] of Object.entries(spec?.hard ?? {})) {
      if (group) group.quota[shortQuotaKey(key)] = /^\d{1,15}$/.test(value) ? Number(value) : value
    }
  }
  addPeople(draft, people)
  const ruled: RuledRole[] = [
    ...roles.items.map(({ metadata, rules }) => ({
      kind: 'Role',
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      rules: rules ?? [],
    })),
    ...clusterRoles.items.map(({ metadata, rules }) => ({
      kind: 'ClusterRole',
      namespace: '',
      name: metadata.name,
      rules: rules ?? [],
    })),
  ]
  addMembers(draft, bindings.items, ruled)
  addClaims(draft, claims.items, volumes.items)
  if (options.ownedOnly !== true) {
    noteOtherOwners(draft, namespaces.items)
    noteWideRights(draft, people, wide.items)
  }
  return draft
}

/** Groups of another organisation are never taken over: the plan would find them in the way. */
function noteOtherOwners(draft: OrgDraft, namespaces: readonly Persisted<Namespace>[]): void {
  const owned = new Map<string, string[]>()
  for (const { metadata } of namespaces) {
    const owner = metadata.labels?.[labels.organisation]
    if (owner === undefined || owner === draft.organisation || !draft.groups.has(metadata.name)) continue
    owned.set(owner, [...(owned.get(owner) ?? []), metadata.name])
  }
  for (const [owner, groups] of owned) {
    const shown = [...groups.slice(0, 10), ...(groups.length > 10 ? [`${groups.length - 10} more`] : [])]
    draft.notes.push(
      `organisation ${owner} has these groups, which no other can take over: ${shown.join(', ')}; leave them out, or go on with that one: --name ${owner}`,
    )
  }
}

/** Rights in the whole cluster have no place in the file; those that somebody gave by hand stay as they are. */
function noteWideRights(
  draft: OrgDraft,
  people: readonly Persisted<ServiceAccount>[],
  bindings: readonly Persisted<ClusterRoleBinding>[],
): void {
  const accounts = new Set(people.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  for (const { metadata, roleRef, subjects = [] } of bindings) {
    if (metadata.labels?.[labels.organisation] !== undefined) continue
    for (const { kind, namespace, name } of subjects) {
      if (kind !== 'ServiceAccount' || !accounts.has(`${namespace}/${name}`)) continue
      draft.notes.push(
        `${name} holds ${roleRef.kind} "${roleRef.name}" in the whole cluster by binding "${metadata.name}", which the file cannot say`,
      )
    }
  }
}

/** The organisations whose groups a cluster has, by name. */
export async function listOrganisations(client: KubeClient): Promise<string[]> {
  const { items } = await client.list(kinds.namespaces, { labelSelector: labels.organisation })
  return [...new Set(items.flatMap(({ metadata }) => metadata.labels?.[labels.organisation] ?? []))].sort()
}

function isGroup(namespace: string | undefined): boolean {
  return namespace !== undefined && !/^(?:default|arena-system|kube-.*)$/.test(namespace)
}

function addPeople(draft: OrgDraft, accounts: readonly Persisted<ServiceAccount>[]): void {
  for (const { metadata } of accounts) {
    const found = metadata.annotations ?? {}
    const known = draft.users.get(metadata.name)
    if (known !== undefined) {
      draft.notes.push(
        `${metadata.name} has accounts in ${known.home} and ${metadata.namespace}: taken for one person`,
      )
      continue
    }
    const uid = numberIn(found[annotations.uid])
    const [fullName, email] = [found[annotations.fullName], found[annotations.email]]
    draft.users.set(metadata.name, {
      ...(uid !== undefined && { uid }),
      ...(fullName !== undefined && { name: fullName }),
      ...(email !== undefined && { email }),
      ...(metadata.namespace !== undefined && { home: metadata.namespace }),
    })
  }
}

function addMembers(
  draft: OrgDraft,
  bindings: readonly Persisted<RoleBinding>[],
  roles: readonly RuledRole[],
): void {
  for (const { metadata, roleRef, subjects = [] } of bindings) {
    const namespace = metadata.namespace ?? ''
    const group = draft.groups.get(namespace)
    // Everybody's right over their own account comes with the user.
    if (group === undefined || metadata.name.startsWith('arena:self:')) continue
    for (const { kind, name } of subjects) {
      if (kind !== 'ServiceAccount' || !draft.users.has(name)) continue
      const stated = metadata.labels?.[labels.role]
      const role = stated ?? guessRole(roles, roleRef, namespace)
      const until = metadata.annotations?.[annotations.until]
      if (stated === undefined) {
        draft.notes.push(
          `${name} in ${namespace}: ${role}, as ${roleRef.kind} "${roleRef.name}" comes nearest to it`,
        )
      } else if (!['lead', 'member', 'viewer'].includes(stated)) {
        const rules =
          roles.find((each) => each.namespace === namespace && each.name === roleRef.name)?.rules ?? []
        draft.roles.set(
          stated,
          rules.filter((rule) => !rule.resources?.includes('namespaces')),
        )
      }
      group.members[name] = joined(group.members[name], until === undefined ? role : { role, until })
    }
  }
  for (const [name, user] of draft.users) {
    const isMember = [...draft.groups.values()].some((group) => Object.hasOwn(group.members, name))
    const home = draft.groups.get(user.home ?? '')
    if (!isMember && home) {
      home.members[name] = 'viewer'
      draft.notes.push(`${name} holds no role in ${user.home}: taken for a viewer`)
    }
    // The file's own rule finds it, unless the account lives elsewhere.
    const first = [...draft.groups].find(([, group]) => Object.hasOwn(group.members, name))?.[0]
    if (first === user.home) delete user.home
  }
}

function joined(held: unknown, more: unknown): unknown {
  if (held === undefined) return more
  const all: unknown[] = Array.isArray(held) ? held : [held]
  return all.includes(more) ? held : [...all, more]
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
