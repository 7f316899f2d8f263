import { UserError } from '../../errors.ts'
import type { HostPlan } from '../../host/index.ts'
import type { Command, CommandContext, Input } from '../command.ts'
import { mayAsk, waitFlag, yesFlag } from '../organisation/flags.ts'
import { hostFlags } from '../organisation/host-flags.ts'
import type { HostRun } from '../organisation/host-run.ts'
import { formatData, outputFormat } from '../output.ts'

export const hostApply: Command = {
  path: 'host apply',
  summary: 'Make groups and accounts on this machine, where people log in; as root.',
  description: `
Every check is made before anything is changed. Homes are closed to others (mode 0700) and never deleted; who leaves the
file is locked out. Passwords for the first login are shown once. Of two that run at once the second waits for the first.

Examples:
  sudo arena host apply -f org.yaml
  sudo arena host apply --root /srv/images/login --no-kubeconfig`,
  group: 'organisation',
  flags: [...hostFlags, yesFlag, waitFlag],
  async run(input, context) {
    if (process.getuid?.() !== 0) {
      throw new UserError('FORBIDDEN', 'only root can make accounts on this machine', {
        hint: 'run it with sudo; to see what would change: arena host plan',
      })
    }
    const [{ prepareHostRun }, { withHostLock }] = await Promise.all([
      import('../organisation/host-run.ts'),
      import('../organisation/locks.ts'),
    ])
    const first = await prepareHostRun(input, context)
    refuseConflicts(first.plan)
    if (first.plan.changes.length === 0) return applyRun(first, input, context)
    const shown = mayAsk(input, context) ? await ask(first, context) : undefined
    // Not while the question is open, so that nobody waits for a person: what is found now must be what was shown.
    await withHostLock({ root: first.world.root, what: 'host apply' }, input, context, async () => {
      const run = await prepareHostRun(input, context)
      refuseConflicts(run.plan)
      if (shown !== undefined) await refuseChanged(shown, run.plan)
      await applyRun(run, input, context)
    })
  },
}

/** Shows the changes and asks. Returns what was shown. @throws {UserError} `INTERRUPTED` */
async function ask({ plan }: HostRun, context: CommandContext): Promise<readonly string[]> {
  const { describeHostChange } = await import('../../host/index.ts')
  const shown = plan.changes.map(describeHostChange)
  for (const change of shown) context.note(`~ ${change}`)
  const { askToGoOn } = await import('../organisation/apply-run.ts')
  await askToGoOn(context)
  return shown
}

/** @throws {UserError} `CONFLICT` */
async function refuseChanged(shown: readonly string[], plan: HostPlan): Promise<void> {
  const { describeHostChange } = await import('../../host/index.ts')
  const other = plan.changes.map(describeHostChange).find((change) => !shown.includes(change))
  if (other === undefined) return
  throw new UserError('CONFLICT', `the host or the file changed while the question was open: ${other}`, {
    hint: 'nothing was changed; run the command again',
  })
}

async function applyRun(run: HostRun, input: Input, context: CommandContext): Promise<void> {
  const host = await import('../../host/index.ts')
  const format = outputFormat(input)
  const isText = format === 'wide' || format === 'name'
  const makeKubeconfig = await kubeconfigMaker(run, input, context)
  const outcomes = await host.applyHost(run.plan.changes, run.wanted, run.state, run.world, {
    signal: context.signal,
    showsLater: !isText,
    ...(makeKubeconfig && { makeKubeconfig }),
    onOutcome({ change, result, reason, oneTimePassword }) {
      if (!isText) return
      context.print(
        `${result}: ${host.describeHostChange(change)}${reason === undefined ? '' : ` (${reason})`}`,
      )
      if (oneTimePassword !== undefined) context.print(`    password, shown only now: ${oneTimePassword}`)
    },
  })
  if (!isText) {
    const records = outcomes.map(({ change, ...outcome }) => ({
      kind: change.kind,
      meaning: host.describeHostChange(change),
      ...outcome,
    }))
    context.print(await formatData({ outcomes: records }, format))
    await host.passwordsShown(outcomes, run.world, run.wanted.organisation)
  }
  if (context.signal.aborted) {
    const done = `${outcomes.length} of ${run.plan.changes.length} changes`
    context.note(`stopped after ${done}; the same command goes on from there`)
    throw new UserError('INTERRUPTED', 'interrupted')
  }
  const failed = run.plan.changes.length - outcomes.filter(({ result }) => result === 'done').length
  if (failed > 0) {
    throw new UserError('APPLY_INCOMPLETE', `${failed} of ${run.plan.changes.length} changes were not made`, {
      hint: 'mend what the lines above name, then run the command again',
    })
  }
  if (isText) {
    context.print(
      outcomes.length === 0
        ? 'nothing to do: this host is as the file says'
        : `${outcomes.length} ${outcomes.length === 1 ? 'change' : 'changes'} made`,
    )
  }
}

function refuseConflicts(plan: HostPlan): void {
  const [first] = plan.conflicts
  if (first === undefined) return
  const lines = plan.conflicts.map(({ message }) => message)
  throw new UserError(
    'HOST_CONFLICT',
    `nothing was changed\n${lines.map((line) => `  ${line}`).join('\n')}`,
    {
      hint: first.hint,
    },
  )
}

async function kubeconfigMaker(
  { loaded, plan }: HostRun,
  input: Input,
  context: CommandContext,
): Promise<((user: string) => Promise<string>) | undefined> {
  if (!plan.changes.some(({ kind }) => kind === 'install-kubeconfig')) return undefined
  const { clusterAddress, makeKubeconfig } = await import('../organisation/kubeconfig.ts')
  const { client } = await context.connect()
  const cluster = await clusterAddress(input, context)
  return async (user) => {
    const namespace = loaded.org.users.find(({ name }) => name === user)?.home ?? ''
    const account = { namespace, name: user }
    return makeKubeconfig(client, { account, namespace, cluster, isStatic: false }, context)
  }
}
