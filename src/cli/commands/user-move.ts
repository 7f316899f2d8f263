import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'

export const userMove: Command = {
  path: 'user move',
  summary: 'Move a user from one group to another.',
  description: `
The account moves along when it is at home in the old group; the user then needs a new kubeconfig.
Rights in the old group are lost, hence --allow-destroy.

Examples:
  arena user move bob dev2 --allow-destroy
  arena user move bob dev2 --from dev1 --role viewer --allow-destroy`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The user.' },
    { name: 'GROUP', meaning: 'The new group.' },
  ],
  flags: [
    { name: 'from', type: 'string', value: 'GROUP', meaning: 'The group to leave; default: the home group.' },
    { name: 'role', type: 'string', value: 'ROLE', meaning: 'Role in the new group; default: the same.' },
    ...changeFlags,
  ],
  async run(input, context) {
    const [{ moveUser }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [name = '', group = ''] = input.arguments
    const [from, role] = [input.text('from'), input.text('role')]
    await changeOrg('user move', input, context, ({ org }) =>
      moveUser(org, name, group, {
        ...(from !== undefined && { from }),
        ...(role !== undefined && { role }),
      }),
    )
  },
}
