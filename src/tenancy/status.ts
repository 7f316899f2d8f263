import { type KubeClient, kinds } from '../kube/index.ts'
import { shortQuotaKey } from './file/quota-keys.ts'
import { ownershipSelector } from './objects/ownership.ts'
import { claimName, type Org } from './org.ts'

/** How an organisation stands in the cluster. */
export interface OrgStatus {
  readonly groups: readonly GroupStatus[]
  readonly users: readonly UserStatus[]
}

/** A group as the cluster has it now. */
export interface GroupStatus {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
  readonly exists: boolean
  readonly quota: readonly { readonly key: string; readonly used: string; readonly limit: string }[]
  /** `phase` is `Missing` for a claim that is not there. */
  readonly volumes: readonly { readonly claim: string; readonly access: string; readonly phase: string }[]
}

/** A user as the cluster has them now. */
export interface UserStatus {
  readonly name: string
  readonly home: string
  readonly hasAccount: boolean
}

/** Reads how the groups, quotas, volumes and accounts of an organisation stand; four list calls. */
export async function orgStatus(org: Org, client: KubeClient, signal?: AbortSignal): Promise<OrgStatus> {
  const options = { labelSelector: ownershipSelector(org.name), ...(signal && { signal }) }
  const [namespaces, quotas, claims, accounts] = await Promise.all([
    client.list(kinds.namespaces, options),
    client.list(kinds.resourceQuotas, options),
    client.list(kinds.persistentVolumeClaims, options),
    client.list(kinds.serviceAccounts, options),
  ])
  const there = new Set(namespaces.items.map(({ metadata }) => metadata.name))
  const quotaOf = new Map(quotas.items.map((quota) => [quota.metadata.namespace, quota.status]))
  const phaseOf = new Map(
    claims.items.map(({ metadata, status }) => [`${metadata.namespace}/${metadata.name}`, status?.phase]),
  )
  const accountOf = new Set(accounts.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
  return {
    groups: org.groups.map((group) => ({
      name: group.name,
      gid: group.gid,
      members: [...new Set(group.members.map((member) => member.user))],
      exists: there.has(group.name),
      quota: Object.entries(group.quota).map(([key, limit]) => ({
        key: shortQuotaKey(key),
        used: quotaOf.get(group.name)?.used?.[key] ?? '0',
        limit: quotaOf.get(group.name)?.hard?.[key] ?? limit,
      })),
      volumes: org.volumes.flatMap((volume) =>
        volume.grants
          .filter((grant) => grant.group === group.name)
          .map((grant) => {
            const claim = claimName(volume, group.name)
            return { claim, access: grant.access, phase: phaseOf.get(`${group.name}/${claim}`) ?? 'Missing' }
          }),
      ),
    })),
    users: org.users.map(({ name, home }) => ({ name, home, hasAccount: accountOf.has(`${home}/${name}`) })),
  }
}
