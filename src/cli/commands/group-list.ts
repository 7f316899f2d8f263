import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

const mostShown = 6

export const groupList: Command = {
  path: 'group list',
  aliases: ['ls'],
  summary: 'List the groups of the organisation file.',
  description: `
Reads the file alone; what the cluster has is shown by: arena org status

Examples:
  arena group list
  arena group list -f org.yaml -o json`,
  group: 'organisation',
  flags: [fileFlag, outputFlag],
  async run(input, context) {
    const [{ loadOrg }, { shortQuotaKey }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
    ])
    const { org } = await loadOrg(input, context)
    const groups = org.groups.map((group) => ({
      name: group.name,
      gid: group.gid,
      members: group.members.map(({ user, role, until }) => ({
        user,
        role,
        ...(until !== undefined && { until }),
      })),
      quota: Object.fromEntries(
        Object.entries(group.quota).map(([key, value]) => [shortQuotaKey(key), value] as const),
      ),
      volumes: org.volumes.flatMap((volume) =>
        volume.grants
          .filter((grant) => grant.group === group.name)
          .map((grant) => ({ name: volume.name, access: grant.access })),
      ),
    }))
    const format = outputFormat(input)
    if (format === 'json' || format === 'yaml') return context.print(await formatData(groups, format))
    if (format === 'name') return groups.forEach((group) => context.print(group.name))
    // Whoever has many members wants a table all the same.
    const list = (texts: readonly string[]): string => {
      if (texts.length === 0) return '-'
      const more = texts.length - mostShown
      return more > 0 ? `${texts.slice(0, mostShown).join(', ')} and ${more} more` : texts.join(', ')
    }
    context.print(
      formatTable(
        ['NAME', 'GID', 'MEMBERS', 'QUOTA', 'VOLUMES'],
        groups.map((group) => [
          group.name,
          String(group.gid),
          list(group.members.map(({ user, role }) => `${user} (${role})`)),
          list(Object.entries(group.quota).map(([key, value]) => `${key} ${value}`)),
          list(group.volumes.map((volume) => volume.name)),
        ]),
      ),
    )
  },
}
