import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'

export const volumeRevoke: Command = {
  path: 'volume revoke',
  summary: 'Take a volume from a group; its data stays.',
  description: `
Example:
  arena volume revoke data dev2 --allow-destroy`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The volume.' },
    { name: 'GROUP', meaning: 'The group.' },
  ],
  flags: changeFlags,
  async run(input, context) {
    const [{ revokeVolume }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [volume = '', group = ''] = input.arguments
    await changeOrg('volume revoke', input, context, ({ org }) => revokeVolume(org, { volume, group }))
  },
}
