import type { Command } from '../command.ts'
import { adoptFlag, allowDestroyFlag, fileFlag, yesFlag } from '../organisation/flags.ts'
import { outputFlag } from '../output.ts'

export const orgApply: Command = {
  path: 'org apply',
  summary: 'Make the cluster as the organisation file says.',
  description: `
Shows the plan, asks, and reports one outcome for each change. Run again after an interruption: it goes on where it
stopped. Objects that arena did not make are never touched, unless --adopt takes them over.`,
  group: 'organisation',
  flags: [fileFlag, yesFlag, allowDestroyFlag, adoptFlag, outputFlag],
  async run(input, context) {
    const [{ loadOrg }, { planOrg }, { runPlan }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
      import('../organisation/apply-run.ts'),
    ])
    const { org, name, text } = await loadOrg(input, context)
    const { client } = await context.connect()
    const plan = await planOrg(org, client, {
      now: context.now(),
      adopt: input.flag('adopt'),
      signal: context.signal,
    })
    await runPlan(plan, input, context, { again: `arena org apply -f ${name}`, text })
  },
}
