import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'
import { lastDay, untilFlag } from '../organisation/flags.ts'

export const userGrant: Command = {
  path: 'user grant',
  summary: 'Give a user a role in a group, for ever or until a day.',
  description: `
With --only the role takes the place of those that the user has there; one that allows less needs --allow-destroy.

Examples:
  arena user grant bob dev2 viewer --until 2027-03-31
  arena user grant bob dev1 lead --only
  arena user grant bob dev1 viewer --only --allow-destroy`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The user.' },
    { name: 'GROUP', meaning: 'The group.' },
    { name: 'ROLE', meaning: 'lead, member, viewer, or a role of the file.' },
  ],
  flags: [
    untilFlag,
    { name: 'only', type: 'boolean', meaning: 'Instead of the roles that the user has there.' },
    ...changeFlags,
  ],
  async run(input, context) {
    const [{ grantRole }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [user = '', group = '', role = ''] = input.arguments
    const until = lastDay(input, context)
    const only = input.flag('only')
    await changeOrg('user grant', input, context, ({ org }) =>
      grantRole(org, { user, group, role, only, ...(until !== undefined && { until }) }),
    )
  },
}
