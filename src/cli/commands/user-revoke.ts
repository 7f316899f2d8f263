import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'

export const userRevoke: Command = {
  path: 'user revoke',
  summary: 'Take a role in a group, or all of them, from a user.',
  description: `
The home group follows when its last role goes; the last role of all goes with: arena user remove

Examples:
  arena user revoke bob dev2 --allow-destroy
  arena user revoke bob dev2 viewer --allow-destroy`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The user.' },
    { name: 'GROUP', meaning: 'The group.' },
    { name: 'ROLE', meaning: 'The role; default: all.', optional: true },
  ],
  flags: changeFlags,
  async run(input, context) {
    const [{ revokeRole }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [user = '', group = '', role] = input.arguments
    await changeOrg('user revoke', input, context, ({ org }) =>
      revokeRole(org, { user, group, ...(role !== undefined && { role }) }),
    )
  },
}
