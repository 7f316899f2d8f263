import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const orgCheck: Command = {
  path: 'org check',
  summary: 'Check the organisation file; needs no cluster.',
  description: `
Names every fault at once, with line, column, text and hint; ends with 1 when there is one.

Examples:
  arena org check -f org.yaml
  arena org check -o json`,
  group: 'organisation',
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const [{ loadOrg }, { OrgFileError }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
    ])
    const format = outputFormat(input)
    const isText = format === 'wide' || format === 'name'
    try {
      const { org, name } = await loadOrg(input, context)
      context.print(
        isText
          ? `${name} is right: ${org.users.length} users, ${org.groups.length} groups, ${org.volumes.length} volumes`
          : await formatData({ file: name, faults: [] }, format),
      )
      return 0
    } catch (error) {
      if (isText || !(error instanceof OrgFileError)) throw error
      context.print(await formatData({ file: error.file, faults: error.faults }, format))
      return 1
    }
  },
}
