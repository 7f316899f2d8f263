import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const orgStatus: Command = {
  path: 'org status',
  summary: 'Show how groups, quotas, volumes and accounts stand in the cluster.',
  description: `
Reads only, and says how many changes are pending.

Examples:
  arena org status
  arena org status -o json`,
  group: 'organisation',
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const [{ asAdmin }, { loadOrg }, tenancy] = await Promise.all([
      import('../organisation/as-admin.ts'),
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
    ])
    const { org, name } = await loadOrg(input, context)
    const { client } = await context.connect()
    const { signal } = context
    const [plan, status] = await asAdmin(
      'see all of the organisation',
      Promise.all([
        tenancy.planOrg(org, client, { now: context.now(), signal }),
        tenancy.orgStatus(org, client, signal),
      ]),
    )
    const pending = plan.changes.length + plan.conflicts.length
    const format = outputFormat(input)
    if (format === 'json' || format === 'yaml') {
      return context.print(await formatData({ organisation: org.name, pending, ...status }, format))
    }
    context.print(
      pending === 0
        ? `organisation ${org.name} is as ${name} says`
        : `organisation ${org.name}: ${pending} changes are pending; see them with: arena org plan -f ${name}`,
    )
    const list = (texts: readonly string[]): string => (texts.length === 0 ? '-' : texts.join(', '))
    context.print(
      `\n${formatTable(
        ['GROUP', 'GID', 'THERE', 'USED / QUOTA', 'VOLUMES'],
        status.groups.map((group) => [
          group.name,
          String(group.gid),
          group.exists ? 'yes' : 'no',
          list([...new Set(group.quota.map(({ key, used, limit }) => `${key} ${used}/${limit}`))]),
          list(group.volumes.map(({ claim, phase }) => `${claim} (${phase})`)),
        ]),
      )}\n`,
    )
    context.print(
      formatTable(
        ['USER', 'HOME', 'ACCOUNT'],
        status.users.map((user) => [user.name, user.home, user.hasAccount ? 'yes' : 'no']),
      ),
    )
  },
}
