import { resolve } from 'node:path'
import type { Command, CommandContext, Input } from '../command.ts'
import { allowDestroyFlag, fileFlag } from '../organisation/flags.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const orgDrift: Command = {
  path: 'org drift',
  summary: 'Find what was changed by hand, tell who did it, and mend it.',
  description: `
Compares the cluster with the organisation file and names rights that somebody gave beside it. Who did it comes from the
objects themselves and, with --audit-log, from the API server's log. Exits with 0 when there is none, with 2 otherwise.
--watch goes on until it is interrupted; expired grants end there too, with --repair.

Examples:
  arena org drift
  arena org drift --repair
  arena org drift --watch --repair --audit-log /var/lib/arena/audit.log`,
  group: 'organisation',
  flags: [
    fileFlag,
    { name: 'repair', type: 'boolean', meaning: 'Make the cluster as the file says.' },
    { name: 'watch', short: 'w', type: 'boolean', meaning: 'Go on, and look again at every change.' },
    { name: 'audit-log', type: 'string', value: 'FILE', meaning: "The API server's audit log." },
    allowDestroyFlag,
    outputFlag,
  ],
  async run(input, context) {
    const [{ loadOrg }, { watchOrganisation }] = await Promise.all([
      import('../organisation/load.ts'),
      import('../../tenancy/index.ts'),
    ])
    if (!input.flag('watch')) return lookOnce(input, context)
    const { org } = await loadOrg(input, context)
    const { client } = await context.connect()
    context.note(`watching organisation ${org.name}; stop with Ctrl-C`)
    let shown: string | undefined
    for await (const _ of watchOrganisation(org.name, client, context.signal)) {
      shown = await lookAgain(input, context, shown)
    }
    return 0
  },
}

async function lookOnce(input: Input, context: CommandContext): Promise<number> {
  const found = await look(input, context)
  const repairs = input.flag('repair') && found.hasChanges
  // A record is printed once, with the outcomes in it.
  if (!repairs || found.record === undefined) context.print(found.text)
  if (!found.hasDrift) return 0
  if (!input.flag('repair')) return 2
  if (repairs) await repair(input, context, found)
  // Rights given beside the file belong to somebody else: named, never taken.
  return found.hasStrangers ? 2 : 0
}

/** Shows what was not shown yet. A fault ends the watch only at the first look: later ones may pass. */
async function lookAgain(input: Input, context: CommandContext, shown: string | undefined): Promise<string> {
  try {
    const found = await look(input, context)
    if (found.text !== shown) context.print(`${context.now().toISOString()} ${found.text}`)
    if (found.hasChanges && input.flag('repair')) await repair(input, context, { text: found.text })
    return found.text
  } catch (error) {
    if (shown === undefined || context.signal.aborted || !(error instanceof Error)) throw error
    if (error.message !== shown) context.note(`${context.now().toISOString()} ${error.message}`)
    return error.message
  }
}

async function repair(
  input: Input,
  context: CommandContext,
  found: Pick<Found, 'record' | 'text'>,
): Promise<void> {
  const [{ loadOrg }, { planAsAdmin }, { checkPlan, runPlan }] = await Promise.all([
    import('../organisation/load.ts'),
    import('../organisation/as-admin.ts'),
    import('../organisation/apply-run.ts'),
  ])
  const { org, name, text } = await loadOrg(input, context)
  const { client } = await context.connect()
  const plan = await planAsAdmin(org, client, { now: context.now(), signal: context.signal })
  const again = `arena org apply -f ${name}`
  const { record } = found
  await checkPlan(plan, input, context, { again }).catch((error: unknown) => {
    if (record !== undefined) context.print(found.text)
    throw error
  })
  await runPlan(plan, input, context, {
    again,
    text,
    isChecked: true,
    ...(record !== undefined && { record }),
  })
}

interface Found {
  readonly text: string
  /** The same as data, where that is wanted. */
  readonly record?: object
  readonly hasChanges: boolean
  readonly hasDrift: boolean
  readonly hasStrangers: boolean
}

async function look(input: Input, context: CommandContext): Promise<Found> {
  const [{ asAdmin }, { loadOrg }, tenancy, { changeRecord }] = await Promise.all([
    import('../organisation/as-admin.ts'),
    import('../organisation/load.ts'),
    import('../../tenancy/index.ts'),
    import('../organisation/plan-view.ts'),
  ])
  const { org, name } = await loadOrg(input, context)
  const { client } = await context.connect()
  const { signal } = context
  const [plan, strangers] = await asAdmin(
    'see all of the organisation',
    Promise.all([
      tenancy.planOrg(org, client, { now: context.now(), signal }),
      tenancy.findStrangers(org, client, signal),
    ]),
  )
  const log = input.text('audit-log')
  const deeds =
    log === undefined
      ? undefined
      : await tenancy.lastDeeds(resolve(context.workingDirectory, log), plan.changes)
  const findings = plan.changes.map((change) => {
    const deed = deeds?.get(tenancy.keyOf(change))
    const { lastWriter } = change
    const who = deed
      ? `${deed.user}, by ${deed.verb}, at ${deed.time}`
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
      conflicts: plan.conflicts.map(({ message, hint }) => ({ message, hint })),
      strangers,
    }
    return { text: await formatData(record, format), record, hasChanges, hasDrift, hasStrangers }
  }
  const lines = hasDrift
    ? [`the cluster is not as ${name} says`]
    : [`no drift: the cluster is as ${name} says`]
  for (const { change, who } of findings) {
    const by = who === undefined ? '' : ` (${who})`
    lines.push(`  ${tenancy.nameOf(change)}: ${driftWord(change.action)}${by}`)
    lines.push(...change.details.map((detail) => `      ${detail}`))
  }
  lines.push(...plan.conflicts.map(({ message }) => `  ${message}`))
  for (const { binding, namespace, gives, to } of strangers) {
    const place = namespace === undefined ? 'in the whole cluster' : `in ${namespace}`
    lines.push(`  binding "${binding}" gives ${gives} ${place} to ${to.join(', ')}, beside the file`)
  }
  return { text: lines.join('\n'), hasChanges, hasDrift, hasStrangers }
}

function driftWord(action: string): string {
  const words: Readonly<Record<string, string>> = {
    create: 'missing',
    delete: 'not in the file',
    update: 'changed',
  }
  return words[action] ?? 'different'
}
