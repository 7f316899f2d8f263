import { UserError } from '../../errors.ts'
import {
  applyChanges,
  type Change,
  losses,
  nameOf,
  type OrganisationLock,
  type Outcome,
  type Plan,
  recordRevision,
} from '../../tenancy/index.ts'
import { type KubeClient, StatusError } from '../../kube/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { formatData, outputFormat } from '../output.ts'
import { mayAsk, promptStreams } from './flags.ts'
import { liveOutcomes } from './live-outcomes.ts'
import { changeRecord, planRecord, planText } from './plan-view.ts'

export interface RunOptions {
  /** The right to change the organisation. */
  readonly lock: OrganisationLock
  /** The command that goes on after an interruption. */
  readonly again: string
  /** The text of the organisation file, for the history. */
  readonly text: string
  /** Changes that the command itself asks for, and that need no further consent. */
  readonly consented?: (change: Change) => boolean
  /** What the command tells beside the outcomes, in the same record. */
  readonly record?: object
  /** Takes the record in place of printing it: the command has more to tell in it. */
  readonly onRecord?: (record: object) => void
  /** {@link checkPlan} has been called. */
  readonly isChecked?: boolean
}

/**
 * Refuses a plan that cannot or may not be carried out, and asks the person at the terminal, if there is one.
 *
 * @throws {UserError} `ORG_CONFLICT`, `LOSS_REFUSED`, `INTERRUPTED`
 */
export async function checkPlan(
  plan: Plan,
  input: Input,
  context: CommandContext,
  options: Pick<RunOptions, 'again' | 'consented' | 'lock'>,
): Promise<void> {
  refuseConflicts(plan)
  refuseLosses(plan, input, options)
  if (plan.changes.length === 0 || !mayAsk(input, context)) return
  context.note(planText(plan))
  await options.lock.openFor(() => askToGoOn(context, { takesAway: losses(plan).length > 0 }))
}

/**
 * Carries out a plan, reports one outcome for each change and writes the history.
 *
 * @throws {UserError} what {@link checkPlan} throws, before anything is changed; `APPLY_INCOMPLETE` or `INTERRUPTED`
 *   when something is left to do.
 */
export async function runPlan(
  plan: Plan,
  input: Input,
  context: CommandContext,
  options: RunOptions,
): Promise<readonly Outcome[]> {
  const format = outputFormat(input)
  const isText = format === 'wide' || format === 'name'
  const tellRecord = async (record: object): Promise<void> => {
    if (options.onRecord !== undefined) options.onRecord(record)
    else context.print(await formatData(record, format === 'yaml' ? 'yaml' : 'json'))
  }
  if (options.isChecked !== true) await checkPlan(plan, input, context, options)
  if (plan.changes.length === 0) {
    if (isText) context.print(planText(plan))
    else await tellRecord({ ...planRecord(plan), ...options.record, outcomes: [] })
    return []
  }
  const { client } = await context.connect()
  const live = liveOutcomes(context, plan.changes.length)
  const outcomes = await applyChanges(plan.changes, client, {
    signal: AbortSignal.any([context.signal, options.lock.signal]),
    onProgress: live.advance,
    onOutcome(outcome) {
      if (isText) live.tell(outcomeText(outcome))
    },
  }).finally(live.end)
  if (outcomes.some((outcome) => outcome.result === 'done')) {
    await keepHistory(client, plan, outcomes, context, options.text)
  }
  if (!isText) {
    const records = outcomes.map((outcome) => ({
      ...changeRecord(outcome.change),
      result: outcome.result,
      ...(outcome.reason !== undefined && { reason: outcome.reason }),
    }))
    await tellRecord({ organisation: plan.organisation, ...options.record, outcomes: records })
  }
  const done = outcomes.filter((outcome) => outcome.result === 'done').length
  if (context.signal.aborted) {
    context.note(`stopped after ${done} of ${outcomes.length} changes; to go on: ${options.again}`)
    throw new UserError('INTERRUPTED', 'interrupted')
  }
  options.lock.signal.throwIfAborted()
  if (done < outcomes.length) {
    throw new UserError(
      'APPLY_INCOMPLETE',
      `${outcomes.length - done} of ${outcomes.length} changes were not made`,
      {
        hint: `mend what the lines above name, then go on with: ${options.again}`,
      },
    )
  }
  if (isText)
    context.print(
      `${done} ${done === 1 ? 'change' : 'changes'} made; ${plan.unchanged} objects were right already`,
    )
  return outcomes
}

async function keepHistory(
  client: KubeClient,
  plan: Plan,
  outcomes: readonly Outcome[],
  context: CommandContext,
  text: string,
): Promise<void> {
  try {
    await recordRevision(client, { organisation: plan.organisation, text, outcomes, now: context.now() })
  } catch (error) {
    // What was applied stands, whether or not it could be written down.
    if (!(error instanceof StatusError)) throw error
    context.note(`note: the history was not written: ${error.message}`)
  }
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

function refuseLosses(plan: Plan, input: Input, options: Pick<RunOptions, 'again' | 'consented'>): void {
  const { again, consented } = options
  const lost = losses({ changes: plan.changes.filter((change) => consented?.(change) !== true) })
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

/** Asks before a plan is carried out; a bare Enter takes nothing away. @throws {UserError} `INTERRUPTED` */
export async function askToGoOn(
  context: CommandContext,
  { takesAway = false }: { readonly takesAway?: boolean } = {},
): Promise<void> {
  const { confirm } = await import('@clack/prompts')
  const answer = await confirm({
    message: 'Make these changes?',
    initialValue: !takesAway,
    ...promptStreams(context),
  })
  if (answer !== true) throw new UserError('INTERRUPTED', 'nothing was changed')
}
