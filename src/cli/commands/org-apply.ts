import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Command, CommandContext, Input } from '../command.ts'
import { adoptFlag, allowDestroyFlag, fileFlag, waitFlag, yesFlag } from '../organisation/flags.ts'
import { outputFlag } from '../output.ts'

export const orgApply: Command = {
  path: 'org apply',
  summary: 'Make the cluster as the organisation file says.',
  description: `
Shows the plan, asks, and reports one outcome for each change. Without a terminal there is nobody to ask: what only adds
is made as with --yes, and what takes something away is refused without --allow-destroy. Run again after an
interruption: it goes on where it stopped. Objects that arena did not make are never touched, unless --adopt takes them over. With --plan it carries out
what "org plan --plan-out" wrote down, and refuses when the file or the cluster has changed since.

Examples:
  arena org apply -f org.yaml
  arena org apply --plan plan.json --yes
  arena org apply --allow-destroy`,
  group: 'organisation',
  flags: [
    fileFlag,
    { name: 'plan', type: 'string', value: 'FILE', meaning: 'Carry out a plan that was written down.' },
    yesFlag,
    allowDestroyFlag,
    adoptFlag,
    waitFlag,
    outputFlag,
  ],
  async run(input, context) {
    const planFile = input.text('plan')
    if (planFile !== undefined) return applySaved(planFile, input, context)
    const [{ loadOrg }, { withLoadedOrg }, { planAsAdmin }, { runPlan }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../organisation/locks.ts'),
      import('../organisation/as-admin.ts'),
      import('../organisation/apply-run.ts'),
    ])
    const first = await loadOrg(input, context)
    await withLoadedOrg(first, 'org apply', { input, context }, async ({ loaded, lock }) => {
      const { org, name, text } = loaded
      const { client } = await context.connect()
      const plan = await planAsAdmin(org, client, {
        now: context.now(),
        adopt: input.flag('adopt'),
        signal: context.signal,
      })
      await runPlan(plan, input, context, { again: `arena org apply -f ${name}`, text, lock })
    })
  },
}

async function applySaved(planFile: string, input: Input, context: CommandContext): Promise<void> {
  const [tenancy, { withOrgLock }, { planAsAdmin }, { runPlan }] = await Promise.all([
    import('../../tenancy/index.ts'),
    import('../organisation/locks.ts'),
    import('../organisation/as-admin.ts'),
    import('../organisation/apply-run.ts'),
  ])
  const path = resolve(context.workingDirectory, planFile)
  const saved = tenancy.readSavedPlan(planFile, await readText(path, planFile))
  if (input.flag('adopt') && !saved.adopts) {
    throw new UserError('USAGE', `plan "${planFile}" was made without --adopt`, {
      hint: `make one that takes over: arena org plan --adopt --plan-out ${planFile}`,
    })
  }
  await withOrgLock({ organisation: saved.organisation, what: 'org apply' }, input, context, async (lock) => {
    const file = input.isGiven('file') ? (input.text('file') ?? '') : saved.file
    const current = await readFile(resolve(context.workingDirectory, file), 'utf8').catch(
      (cause: unknown) => {
        // The plan holds the text: the file need not be where it is carried out, unless it is named.
        if (!input.isGiven('file')) return undefined
        throw new UserError('FILE_UNREADABLE', `organisation file "${file}" cannot be read`, {
          hint: 'leave -f out to carry out the plan without a look at the file',
          cause,
        })
      },
    )
    if (current !== undefined && current !== saved.text) {
      throw tenancy.outdated(`${file} changed since the plan was made on ${saved.madeAt}`, saved)
    }
    const org = tenancy.parseOrg(saved.text, saved.file)
    const { client } = await context.connect()
    const plan = await planAsAdmin(org, client, {
      now: context.now(),
      adopt: saved.adopts,
      signal: context.signal,
    })
    tenancy.refuseOutdated(saved, plan)
    const again = `arena org apply --plan ${planFile}`
    await runPlan(plan, input, context, { again, text: saved.text, lock })
  })
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `plan "${name}" cannot be read`, {
      hint: 'make one with: arena org plan --plan-out FILE',
      cause,
    })
  }
}
