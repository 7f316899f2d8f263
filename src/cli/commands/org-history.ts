import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const orgHistory: Command = {
  path: 'org history',
  summary: 'List who applied the organisation file when, and what it changed.',
  description: `
With a revision as argument, prints the file as it was then.

Examples:
  arena org history
  arena org history 3 > org-as-of-3.yaml`,
  group: 'organisation',
  arguments: [{ name: 'REVISION', meaning: 'Number of a revision to print.', optional: true }],
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const [{ asAdmin }, { loadOrg }, tenancy] = await Promise.all([
      import('../organisation/as-admin.ts'),
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
    ])
    const [wanted] = input.arguments
    if (wanted !== undefined && !/^\d{1,9}$/.test(wanted)) {
      throw new UserError('USAGE', `revision "${wanted}" is no number`, {
        hint: 'arena org history without a number lists them',
      })
    }
    const { org } = await loadOrg(input, context)
    const { client } = await context.connect()
    if (wanted !== undefined) {
      const revision = await asAdmin(
        'see all of the organisation',
        tenancy.findRevision(client, org.name, Number(wanted)),
      )
      context.stdout.write(revision.text)
      return
    }
    const revisions = await asAdmin('see all of the organisation', tenancy.listRevisions(client, org.name))
    const format = outputFormat(input)
    if (format === 'json' || format === 'yaml') {
      // Files may have hashes of passwords in them: one is shown when it is asked for by number, and none in lists.
      const records = revisions.map(({ text: _file, ...record }) => record)
      return context.print(await formatData(records, format))
    }
    context.print(
      formatTable(
        ['REVISION', 'APPLIED', 'BY', 'CHANGES', 'WHAT'],
        revisions.map((revision) => [
          String(revision.number),
          revision.appliedAt.replace('T', ' ').slice(0, 16),
          revision.appliedBy,
          revision.failed === 0 ? String(revision.done) : `${revision.done} (${revision.failed} failed)`,
          revision.summary.slice(0, 2).join('; ') + (revision.done > 2 ? '; ...' : ''),
        ]),
      ),
    )
  },
}
