import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'
import { limitsOf } from '../organisation/limits.ts'

export const groupSetQuota: Command = {
  path: 'group set-quota',
  summary: 'Change limits of a group; the others stay.',
  description: `
Example:
  arena group set-quota dev2 gpu=4 memory=120Gi cpu=none`,
  group: 'organisation',
  arguments: [
    { name: 'NAME', meaning: 'The group.' },
    { name: 'KEY=AMOUNT', meaning: 'A limit; none lifts it.', variadic: true },
  ],
  flags: changeFlags,
  async run(input, context) {
    const [{ setQuota }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [name = '', ...limits] = input.arguments
    const quota = limitsOf(limits)
    await changeOrg('group set-quota', input, context, ({ org }) => setQuota(org, name, quota))
  },
}
