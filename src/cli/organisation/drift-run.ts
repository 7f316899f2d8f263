import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type AuditTrail,
  type Change,
  findStrangers,
  keyOf,
  nameOf,
  openAuditTrail,
  type Plan,
  planOrg,
  watchOrganisation,
} from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { formatData, outputFormat } from '../output.ts'
import { askToGoOn, refuseConflicts, runPlan } from './apply-run.ts'
import { asAdmin, planAsAdmin } from './as-admin.ts'
import { mayAsk } from './flags.ts'
import { loadOrg } from './load.ts'
import { type OrgRun, withLoadedOrg } from './locks.ts'
import { changeRecord } from './plan-view.ts'

/** Looks once, and mends when asked to. Returns the exit status: 2 for what is left. */
export async function lookOnce(input: Input, context: CommandContext): Promise<number> {
  const found = await look(input, context, auditTrail(input, context))
  const repairs = input.flag('repair') && found.hasChanges
  // A record is printed once, with the outcomes in it.
  if (!repairs || found.record === undefined) context.print(found.text)
  if (!found.hasDrift) return 0
  if (!input.flag('repair')) return 2
  if (repairs) await repair(input, context, found)
  // Rights given beside the file belong to somebody else: named, never taken.
  return found.hasStrangers ? 2 : 0
}

/**
 * Looks again at every change until it is interrupted, which is how a watch ends: status 0, also in the middle of a repair,
 * whose changes under way are finished first. A fault ends it only at the first look: later ones may pass.
 */
export async function lookOn(input: Input, context: CommandContext): Promise<number> {
  const { org } = await loadOrg(input, context)
  const { client } = await context.connect()
  const trail = auditTrail(input, context)
  context.note(`watching organisation ${org.name}; stop with Ctrl-C`)
  // Nothing is told twice in a row, however often it is looked at.
  let told: string | undefined
  let fault: string | undefined
  for await (const _ of watchOrganisation(org.name, client, context.signal)) {
    const stamp = context.now().toISOString()
    try {
      const found = await look(input, context, trail)
      // Records follow each other as they are, so that programs can read them one by one.
      if (found.text !== told) context.print(found.record ? found.text : `${stamp} ${found.text}`)
      told = found.text
      if (found.hasChanges && input.flag('repair')) await repair(input, context, { text: found.text })
      fault = undefined
    } catch (error) {
      if (context.signal.aborted) break
      if (told === undefined || !(error instanceof Error)) throw error
      if (error.message !== fault) context.note(`${stamp} ${error.message}`)
      fault = error.message
    }
  }
  return 0
}

function auditTrail(input: Input, context: CommandContext): AuditTrail | undefined {
  const log = input.text('audit-log')
  return log === undefined ? undefined : openAuditTrail(resolve(context.workingDirectory, log))
}

/**
 * Mends all that may be mended, then says what may not: one thing in the way must not keep the rest from being put right.
 *
 * @throws {UserError} `ORG_CONFLICT`, `LOSS_REFUSED`, and what {@link runPlan} throws
 */
async function repair(
  input: Input,
  context: CommandContext,
  found: Pick<Found, 'record' | 'text'>,
): Promise<void> {
  const first = await loadOrg(input, context)
  await withLoadedOrg(first, 'org drift --repair', { input, context }, (run) => repairLoaded(found, run))
}

async function repairLoaded(
  { record, text }: Pick<Found, 'record' | 'text'>,
  { loaded, lock, input, context }: OrgRun,
): Promise<void> {
  const { org, name, text: file } = loaded
  const { client } = await context.connect()
  const plan = await planAsAdmin(org, client, { now: context.now(), signal: context.signal })
  const { mended, refused } = whatMayBeMended(plan, { allowsLoss: input.flag('allow-destroy') })
  if (mended.changes.length > 0) {
    if (!input.flag('watch') && mayAsk(input, context)) {
      await lock.openFor(() => askToGoOn(context))
    }
    const again = `arena org apply -f ${name}`
    const told = record !== undefined && { record }
    await runPlan(mended, input, context, { again, text: file, isChecked: true, lock, ...told })
  } else if (record !== undefined) {
    context.print(text)
  }
  refuseConflicts(plan)
  if (refused.length === 0) return
  throw new UserError(
    'LOSS_REFUSED',
    `not mended, as that takes something away\n${refused.map((loss) => `  ${loss}`).join('\n')}`,
    { hint: `if that is meant: arena org drift -f ${name} --repair --allow-destroy` },
  )
}

function whatMayBeMended(
  plan: Plan,
  { allowsLoss }: { allowsLoss: boolean },
): { mended: Plan; refused: readonly string[] } {
  const blocked = new Set(
    plan.conflicts.filter(({ type }) => type.kind === 'Namespace').map(({ name }) => name),
  )
  const possible = plan.changes.filter(({ namespace }) => namespace === undefined || !blocked.has(namespace))
  const changes = possible.filter(({ loss }) => loss === undefined || allowsLoss)
  const refused = allowsLoss ? [] : possible.flatMap(({ loss }) => loss ?? [])
  return { mended: { ...plan, changes, conflicts: [] }, refused }
}

interface Found {
  readonly text: string
  /** The same as data, where that is wanted. */
  readonly record?: object
  readonly hasChanges: boolean
  readonly hasDrift: boolean
  readonly hasStrangers: boolean
}

async function look(input: Input, context: CommandContext, trail: AuditTrail | undefined): Promise<Found> {
  const { org, name } = await loadOrg(input, context)
  const { client } = await context.connect()
  const { signal } = context
  const [plan, strangers] = await asAdmin(
    'see all of the organisation',
    Promise.all([planOrg(org, client, { now: context.now(), signal }), findStrangers(org, client, signal)]),
  )
  const deeds = await trail?.deedsOf(plan.changes)
  const findings = plan.changes.map((change) => {
    const deed = deeds?.get(keyOf(change))
    const { lastWriter } = change
    const who = deed
      ? `${deed.user}, by ${deed.verb}${deed.agent === '' ? '' : ` with ${deed.agent.split(' ')[0]}`}, at ${deed.time}`
      : lastWriter && `whoever uses "${lastWriter.manager}", at ${lastWriter.time}`
    return { change, who }
  })
  const hasChanges = plan.changes.length + plan.conflicts.length > 0
  const hasStrangers = strangers.length > 0
  const hasDrift = hasChanges || hasStrangers
  const format = outputFormat(input)
  if (format === 'json' || format === 'yaml') {
    const record = {
      organisation: org.name,
      drift: findings.map(({ change, who }) => ({
        ...changeRecord(change),
        ...(who !== undefined && { who }),
      })),
      conflicts: plan.conflicts.map((conflict) => ({
        object: nameOf(conflict),
        message: conflict.message,
        hint: conflict.hint,
      })),
      strangers,
    }
    return { text: await formatData(record, format), record, hasChanges, hasDrift, hasStrangers }
  }
  const lines = hasDrift
    ? [`the cluster is not as ${name} says`]
    : [`no drift: the cluster is as ${name} says`]
  for (const { change, who } of findings) {
    const by = who === undefined ? '' : ` (${who})`
    lines.push(`  ${nameOf(change)}: ${driftWord(change)}${by}`)
    lines.push(...change.details.map((detail) => `      ${detail}`))
  }
  for (const { message, hint } of plan.conflicts) lines.push(`  ${message}`, `      hint: ${hint}`)
  for (const { binding, namespace, gives, to } of strangers) {
    const place = namespace === undefined ? 'in the whole cluster' : `in ${namespace}`
    lines.push(`  binding "${binding}" gives ${gives} ${place} to ${to.join(', ')}, beside the file`)
  }
  return { text: lines.join('\n'), hasChanges, hasDrift, hasStrangers }
}

function driftWord({ action, hasExpired = false }: Change): string {
  if (hasExpired) return 'the grant has expired'
  const words: Readonly<Record<string, string>> = {
    create: 'missing',
    delete: 'not in the file',
    update: 'changed',
  }
  return words[action] ?? 'different'
}
