import { resolve } from 'node:path'
import type { Command, CommandContext, Input } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const orgDiff: Command = {
  path: 'org diff',
  summary: 'Compare two organisation files or revisions: who and what is gained, changed and lost.',
  description: `
A and B are files or numbers of revisions. Without B, A is compared with the file of -f.

Examples:
  arena org diff 3
  arena org diff 3 5
  arena org diff org.yaml proposed.yaml`,
  group: 'organisation',
  arguments: [
    { name: 'A', meaning: 'File or revision before.' },
    { name: 'B', meaning: 'File or revision after.', optional: true },
  ],
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const [{ diffOrgs }, { planRecord, planText }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/plan-view.ts'),
    ])
    const [before = '', after] = input.arguments
    const [a, b] = await Promise.all([
      readSide(before, input, context),
      readSide(after ?? input.text('file') ?? 'org.yaml', input, context),
    ])
    const plan = diffOrgs(a, b, context.now())
    const format = outputFormat(input)
    const isText = format === 'wide' || format === 'name'
    if (isText && plan.changes.length === 0) return context.print('no difference')
    context.print(isText ? planText(plan) : await formatData(planRecord(plan), format))
  },
}

async function readSide(side: string, input: Input, context: CommandContext) {
  const { findRevision, parseOrg, readOrgText } = await import('../../tenancy/index.ts')
  if (!/^\d+$/.test(side)) {
    return parseOrg(await readOrgText(resolve(context.workingDirectory, side), side), side)
  }
  const [{ asAdmin }, { loadOrg }] = await Promise.all([
    import('../organisation/as-admin.ts'),
    import('../organisation/load.ts'),
  ])
  const [{ org }, { client }] = await Promise.all([loadOrg(input, context), context.connect()])
  const revision = await asAdmin('see all of the organisation', findRevision(client, org.name, Number(side)))
  return parseOrg(revision.text, `revision ${side}`)
}
