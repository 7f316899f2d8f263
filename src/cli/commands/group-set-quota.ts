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
    const [{ loadOrg }, { setQuota }, { changeOrg }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [name = '', ...limits] = input.arguments
    const loaded = await loadOrg(input, context)
    await changeOrg(loaded, setQuota(loaded.org, name, limitsOf(limits)), input, context)
  },
}
