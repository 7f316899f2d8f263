import { type Change, isSupporting, nameOf, type Plan } from '../../tenancy/index.ts'

const signs: Readonly<Record<Change['action'], string>> = {
  create: '+',
  adopt: '+',
  update: '~',
  replace: '!',
  delete: '-',
}

const mostLines = 200

/** A plan as a person reads it: what it means for people and things, then what is lost, then the count. */
export function planText(plan: Plan): string {
  const lines: string[] = []
  const shown = plan.changes.filter((change) => !isSupporting(change))
  for (const { title, kinds } of sections) {
    const changes = shown.filter((change) => kinds.includes(change.type.kind))
    if (changes.length === 0) continue
    lines.push(title)
    for (const change of changes) {
      lines.push(`  ${signs[change.action]} ${change.meaning}`)
      // What a new object holds is what its line says already.
      if (change.action !== 'create') lines.push(...change.details.map((detail) => `      ${detail}`))
    }
    lines.push('')
  }
  if (lines.length > mostLines) {
    const more = lines.length - mostLines
    lines.splice(mostLines, more, `  ... and ${more} more lines; all of them with -o json`, '')
  }
  if (plan.effects.length > 0) {
    lines.push('Running jobs', ...plan.effects.map((effect) => `  * ${effect}`), '')
  }
  const losses = plan.changes.flatMap((change) => (change.loss === undefined ? [] : [change.loss]))
  if (losses.length > 0) lines.push('Lost', ...losses.map((loss) => `  ! ${loss}`), '')
  if (plan.conflicts.length > 0) {
    lines.push('In the way')
    for (const conflict of plan.conflicts)
      lines.push(`  x ${conflict.message}`, `      hint: ${conflict.hint}`)
    lines.push('')
  }
  lines.push(planSummary(plan))
  return lines.join('\n')
}

const sections: readonly { title: string; kinds: readonly string[] }[] = [
  { title: 'Groups', kinds: ['Namespace', 'ResourceQuota'] },
  { title: 'People', kinds: ['ServiceAccount', 'RoleBinding', 'Role', 'ClusterRole', 'ClusterRoleBinding'] },
  { title: 'Volumes', kinds: ['PersistentVolume', 'PersistentVolumeClaim'] },
]

function planSummary(plan: Plan): string {
  if (plan.changes.length === 0 && plan.conflicts.length === 0) {
    return `nothing to do: ${plan.unchanged} objects are as the file says`
  }
  const count = (...actions: Change['action'][]): number =>
    plan.changes.filter((change) => actions.includes(change.action)).length
  const adopted = count('adopt')
  const supporting = plan.changes.filter(isSupporting).length
  return [
    `${count('create')} to create, ${adopted > 0 ? `${adopted} to take over, ` : ''}${count('update')} to change, ${count('replace')} to make anew, ${count('delete')} to delete, ${plan.unchanged} right already`,
    ...(supporting > 0 ? [`(${supporting} of them roles and volumes behind the lines above)`] : []),
  ].join(' ')
}

/** A change as `-o json` gives it. */
export function changeRecord(change: Change): Record<string, unknown> {
  return {
    action: change.action,
    kind: change.type.kind,
    ...(change.namespace !== undefined && { namespace: change.namespace }),
    name: change.name,
    meaning: change.meaning,
    ...(change.details.length > 0 && { details: change.details }),
    ...(change.loss !== undefined && { loss: change.loss }),
  }
}

/** A plan as `-o json` gives it. */
export function planRecord(plan: Plan): Record<string, unknown> {
  return {
    organisation: plan.organisation,
    pending: plan.changes.length > 0 || plan.conflicts.length > 0,
    unchanged: plan.unchanged,
    runningJobs: plan.effects,
    changes: plan.changes.map(changeRecord),
    conflicts: plan.conflicts.map((conflict) => ({
      object: nameOf(conflict),
      message: conflict.message,
      hint: conflict.hint,
    })),
  }
}
