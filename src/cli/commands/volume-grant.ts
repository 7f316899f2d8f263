import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'
import { lastDay, untilFlag } from '../organisation/flags.ts'

export const volumeGrant: Command = {
  path: 'volume grant',
  summary: 'Let a group use a volume, for ever or until a day.',
  description: `
Example:
  arena volume grant data dev2 read --until 2027-03-31`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The volume.' },
    { name: 'GROUP', meaning: 'The group.' },
    { name: 'ACCESS', meaning: 'read or write.' },
  ],
  flags: [untilFlag, ...changeFlags],
  async run(input, context) {
    const [{ grantVolume }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [volume = '', group = '', access = ''] = input.arguments
    if (access !== 'read' && access !== 'write') {
      throw new UserError('USAGE', `access "${access}" is neither read nor write`, {
        hint: 'as in: arena volume grant dev1-public dev2 read',
      })
    }
    const until = lastDay(input, context)
    await changeOrg('volume grant', input, context, ({ org }) =>
      grantVolume(org, { volume, group, access, ...(until !== undefined && { until }) }),
    )
  },
}
