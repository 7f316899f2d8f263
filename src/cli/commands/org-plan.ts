import type { Command } from '../command.ts'
import { adoptFlag, fileFlag } from '../organisation/flags.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const orgPlan: Command = {
  path: 'org plan',
  summary: 'Show what apply would change: people and things gained, changed and lost.',
  description: 'Exits with 0 when there is nothing to do, with 2 when changes are pending.',
  group: 'organisation',
  flags: [fileFlag, adoptFlag, outputFlag],
  async run(input, context) {
    const [{ loadOrg }, { planOrg }, { planRecord, planText }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
      import('../organisation/plan-view.ts'),
    ])
    const { org } = await loadOrg(input, context)
    const { client } = await context.connect()
    const plan = await planOrg(org, client, {
      now: context.now(),
      adopt: input.flag('adopt'),
      signal: context.signal,
    })
    const format = outputFormat(input)
    const isText = format === 'wide' || format === 'name'
    context.print(isText ? planText(plan) : await formatData(planRecord(plan), format))
    return plan.changes.length > 0 || plan.conflicts.length > 0 ? 2 : 0
  },
}
