import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'
import { limitsOf } from '../organisation/limits.ts'

export const groupAdd: Command = {
  path: 'group add',
  summary: 'Add a group to the organisation file and the cluster.',
  description: `
Example:
  arena group add dev3 --quota gpu=2 --quota memory=60Gi`,
  group: 'organisation',
  arguments: [{ name: 'NAME', meaning: 'Linux group and namespace.' }],
  flags: [
    { name: 'gid', type: 'integer', meaning: 'Linux group id; default: the next free one.' },
    {
      name: 'quota',
      type: 'strings',
      value: 'KEY=AMOUNT',
      meaning: 'A limit, as in gpu=2.',
    },
    ...changeFlags,
  ],
  async run(input, context) {
    const [{ addGroup }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [name = ''] = input.arguments
    const gid = input.integer('gid')
    const quota = limitsOf(input.texts('quota'))
    await changeOrg('group add', input, context, ({ org }) =>
      addGroup(org, { name, quota, ...(gid !== undefined && { gid }) }),
    )
  },
}
