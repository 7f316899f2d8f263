import type { Command } from '../command.ts'
import { hostFlags } from '../organisation/host-flags.ts'
import { formatData, outputFormat } from '../output.ts'

export const hostPlan: Command = {
  path: 'host plan',
  summary: 'Show what apply would change on this machine, where people log in.',
  description: `
Exits with 0 when there is nothing to do, with 2 when changes are pending.

Examples:
  arena host plan -f org.yaml
  arena host plan --root /srv/images/login --no-kubeconfig -o json`,
  group: 'organisation',
  flags: hostFlags,
  async run(input, context) {
    const [{ prepareHostRun }, { describeHostChange }] = await Promise.all([
      import('../organisation/host-run.ts'),
      import('../../host/index.ts'),
    ])
    const { plan } = await prepareHostRun(input, context)
    const format = outputFormat(input)
    if (format === 'json' || format === 'yaml') {
      const changes = plan.changes.map((change) => ({
        kind: change.kind,
        meaning: describeHostChange(change),
      }))
      context.print(await formatData({ changes, conflicts: plan.conflicts }, format))
    } else {
      for (const change of plan.changes) context.print(`~ ${describeHostChange(change)}`)
      for (const { message, hint } of plan.conflicts) context.print(`x ${message}\n    hint: ${hint}`)
      context.print(
        plan.changes.length + plan.conflicts.length === 0
          ? 'nothing to do: this host is as the file says'
          : `${plan.changes.length} changes, ${plan.conflicts.length} things in the way`,
      )
    }
    return plan.changes.length + plan.conflicts.length > 0 ? 2 : 0
  },
}
