import { UserError } from '../../errors.ts'
import { applyChanges, losses, nameOf, type Outcome, type Plan } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { formatData, outputFormat } from '../output.ts'
import { isTerminal, mayAsk } from './flags.ts'
import { changeRecord, planRecord, planText } from './plan-view.ts'

/**
 * Shows a plan, asks, carries it out and reports one outcome for each change.
 *
 * @throws {UserError} `ORG_CONFLICT`, `LOSS_REFUSED` before anything is changed; `APPLY_INCOMPLETE` or `INTERRUPTED`
 *   when something is left to do.
 */
export async function runPlan(
  plan: Plan,
  input: Input,
  context: CommandContext,
  options: { again: string },
): Promise<readonly Outcome[]> {
  const format = outputFormat(input)
  const isText = format === 'wide' || format === 'name'
  refuseConflicts(plan)
  if (plan.changes.length === 0) {
    context.print(isText ? planText(plan) : await formatData({ ...planRecord(plan), outcomes: [] }, format))
    return []
  }
  refuseLosses(plan, input, options.again)
  if (mayAsk(input, context)) {
    context.note(planText(plan))
    await askToGoOn(context)
  }
  const { client } = await context.connect()
  const progress = progressLine(context, plan.changes.length)
  const outcomes = await applyChanges(plan.changes, client, {
    signal: context.signal,
    onOutcome(outcome, { done }) {
      progress.clear()
      if (isText) context.print(outcomeText(outcome))
      progress.show(done)
    },
  })
  progress.clear()
  if (!isText) {
    const records = outcomes.map((outcome) => ({
      ...changeRecord(outcome.change),
      result: outcome.result,
      ...(outcome.reason !== undefined && { reason: outcome.reason }),
    }))
    context.print(await formatData({ organisation: plan.organisation, outcomes: records }, format))
  }
  const done = outcomes.filter((outcome) => outcome.result === 'done').length
  if (context.signal.aborted) {
    context.note(`stopped after ${done} of ${outcomes.length} changes; to go on: ${options.again}`)
    throw new UserError('INTERRUPTED', 'interrupted')
  }
  if (done < outcomes.length) {
    throw new UserError(
      'APPLY_INCOMPLETE',
      `${outcomes.length - done} of ${outcomes.length} changes were not made`,
      {
        hint: `mend what the lines above name, then go on with: ${options.again}`,
      },
    )
  }
  if (isText) context.print(`${done} changes made; ${plan.unchanged} objects were right already`)
  return outcomes
}

function outcomeText({ change, result, reason }: Outcome): string {
  const words = {
    create: 'created',
    adopt: 'taken over',
    update: 'changed',
    replace: 'made anew',
    delete: 'deleted',
  }
  const what = result === 'done' ? words[change.action] : result
  return `${what} ${nameOf(change)}: ${reason ?? change.meaning}`
}

/** @throws {UserError} `ORG_CONFLICT` */
export function refuseConflicts(plan: Plan): void {
  const [first] = plan.conflicts
  if (first === undefined) return
  const others = plan.conflicts.length - 1
  const lines = plan.conflicts.slice(0, 20).map((conflict) => `  ${conflict.message} (${conflict.hint})`)
  throw new UserError(
    'ORG_CONFLICT',
    others === 0
      ? first.message
      : `${plan.conflicts.length} objects stand in the way; nothing was changed\n${lines.join('\n')}`,
    { hint: first.hint },
  )
}

function refuseLosses(plan: Plan, input: Input, again: string): void {
  const lost = losses(plan)
  if (lost.length === 0 || input.flag('allow-destroy')) return
  const shown = lost.slice(0, 20).map((loss) => `  ${loss}`)
  if (lost.length > shown.length) shown.push(`  and ${lost.length - shown.length} more`)
  throw new UserError(
    'LOSS_REFUSED',
    `the plan takes something away; nothing was changed\n${shown.join('\n')}`,
    {
      hint: `if that is meant: ${again} --allow-destroy`,
    },
  )
}

async function askToGoOn(context: CommandContext): Promise<void> {
  const { confirm } = await import('@clack/prompts')
  const answer = await confirm({ message: 'Make these changes?', signal: context.signal })
  if (answer !== true) throw new UserError('INTERRUPTED', 'nothing was changed')
}

interface ProgressLine {
  show(done: number): void
  clear(): void
}

/** A bar below the outcomes; nothing where nobody watches. */
function progressLine(context: CommandContext, total: number): ProgressLine {
  if (!isTerminal(context.stderr) || total < 5) return { show: () => undefined, clear: () => undefined }
  const width = 30
  return {
    show(done) {
      const filled = Math.round((done / total) * width)
      context.stderr.write(`[${'='.repeat(filled)}${' '.repeat(width - filled)}] ${done}/${total}`)
    },
    clear: () => void context.stderr.write('\r\u001b[K'),
  }
}
