import {
  type ClusterRole,
  type PolicyRule,
  WorkQueue,
  kinds,
  labelSelectorOf,
  matchesLabels,
} from '../../kube/index.ts'
import { type Controller, reconcile } from './controller.ts'

/** Puts into aggregated cluster roles the rules of the roles that their selectors find. */
export const roleAggregation: Controller = {
  name: 'clusterrole-aggregation-controller',
  async run(context) {
    const { client, informers, signal } = context
    const roles = informers.of(kinds.clusterRoles)
    const queue = new WorkQueue()
    await roles.synced
    const enqueueAggregated = (): void => {
      for (const role of roles.objects.values())
        if (role.aggregationRule !== undefined) queue.add(role.metadata.name)
    }
    enqueueAggregated()
    roles.subscribe((change) => {
      if (
        change.type !== 'ADDED' ||
        change.object.aggregationRule !== undefined ||
        hasLabels(change.object)
      ) {
        enqueueAggregated()
      }
    })
    await reconcile(
      context,
      queue,
      async (name) => {
        const role = roles.get({ name })
        const selectors = role?.aggregationRule?.clusterRoleSelectors
        if (role === undefined || selectors === undefined) return
        const rules = aggregatedRules(role, roles.objects.values())
        if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return
        await client.replace(kinds.clusterRoles, { name }, { ...role, rules }, { signal })
      },
      1,
    )
  },
}

function hasLabels(role: ClusterRole): boolean {
  return Object.keys(role.metadata?.labels ?? {}).length > 0
}

/** The rules of all selected roles, by name of the role, each once. */
function aggregatedRules(role: ClusterRole, all: Iterable<ClusterRole>): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorOf)
  const rules = new Map<string, PolicyRule>()
  const selected = [...all].filter(
    ({ metadata }) =>
      metadata?.name !== role.metadata?.name &&
      selectors.some((selector) => matchesLabels(selector, metadata?.labels)),
  )
  selected.sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1))
  for (const { rules: theirs = [] } of selected) {
    for (const rule of theirs) {
      const key = JSON.stringify(rule)
      if (!rules.has(key)) rules.set(key, rule)
    }
  }
  return [...rules.values()]
}
