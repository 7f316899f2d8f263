import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const userList: Command = {
  path: 'user list',
  aliases: ['ls'],
  summary: 'List the users of the organisation file.',
  description: `
Reads the file alone; what the cluster has is shown by: arena org status

Examples:
  arena user list
  arena user list -o name`,
  group: 'organisation',
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const { loadOrg } = await import('../organisation/load.ts')
    const { org } = await loadOrg(input, context)
    const users = org.users.map((user) => ({
      name: user.name,
      uid: user.uid,
      home: user.home,
      ...(user.fullName !== undefined && { fullName: user.fullName }),
      ...(user.email !== undefined && { email: user.email }),
      roles: org.groups.flatMap((group) =>
        group.members
          .filter((member) => member.user === user.name)
          .map(({ role, until }) => ({ group: group.name, role, ...(until !== undefined && { until }) })),
      ),
    }))
    const format = outputFormat(input)
    if (format === 'json' || format === 'yaml') return context.print(await formatData(users, format))
    if (format === 'name') return users.forEach((user) => context.print(user.name))
    context.print(
      formatTable(
        ['NAME', 'UID', 'HOME', 'ROLES', 'FULL NAME'],
        users.map((user) => [
          user.name,
          String(user.uid),
          user.home,
          user.roles.map(({ group, role }) => `${role} in ${group}`).join(', '),
          user.fullName ?? '',
        ]),
      ),
    )
  },
}
