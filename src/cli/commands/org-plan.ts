import { resolve } from 'node:path'
import { cannotWrite, writePrivateFile } from '../../files.ts'
import type { Command } from '../command.ts'
import { adoptFlag, fileFlag } from '../organisation/flags.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const orgPlan: Command = {
  path: 'org plan',
  summary: 'Show what apply would change: people and things gained, changed and lost.',
  description: `
Exits with 0 when there is nothing to do, with 2 when changes are pending.

Examples:
  arena org plan -f org.yaml
  arena org plan --plan-out plan.json
  arena org plan -o json`,
  group: 'organisation',
  flags: [
    fileFlag,
    adoptFlag,
    {
      name: 'plan-out',
      type: 'string',
      value: 'FILE',
      meaning: 'Write the plan down, for apply --plan FILE.',
    },
    outputFlag,
  ],
  async run(input, context) {
    const [{ loadOrg }, { planAsAdmin }, { savePlan }, { planRecord, planText }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../organisation/as-admin.ts'),
      import('../../tenancy/index.ts'),
      import('../organisation/plan-view.ts'),
    ])
    const { org, name, text } = await loadOrg(input, context)
    const { client } = await context.connect()
    const plan = await planAsAdmin(org, client, {
      now: context.now(),
      adopt: input.flag('adopt'),
      signal: context.signal,
    })
    const planOut = input.text('plan-out')
    if (planOut !== undefined) {
      const saved = savePlan(plan, { file: name, text, adopts: input.flag('adopt'), now: context.now() })
      // It holds the whole file, which may have hashes of passwords in it.
      const path = resolve(context.workingDirectory, planOut)
      await writePrivateFile(path, `${JSON.stringify(saved)}\n`).catch((cause: unknown) => {
        throw cannotWrite(`plan "${planOut}"`, cause)
      })
    }
    const format = outputFormat(input)
    const isText = format === 'wide' || format === 'name'
    context.print(isText ? planText(plan) : await formatData(planRecord(plan), format))
    return plan.changes.length > 0 || plan.conflicts.length > 0 ? 2 : 0
  },
}
