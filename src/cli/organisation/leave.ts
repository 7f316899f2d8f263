import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { UserError } from '../../errors.ts'
import { isStatus, type KubeClient, kinds, parseDurationMs } from '../../kube/index.ts'
import {
  type Change,
  cutText,
  dropReceipt,
  findOwnedJobs,
  findReceipt,
  keepManifest,
  type JobDecision,
  labels,
  type Org,
  type Receipt,
  removeUser,
  settleJobs,
  type User,
  userNamed,
  writeOrgFile,
  writeReceipt,
} from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import type { Decision } from '../commands/user-remove.ts'
import { formatData, outputFormat } from '../output.ts'
import { checkPlan, runPlan } from './apply-run.ts'
import { planAsAdmin } from './as-admin.ts'
import { parseChanged } from './change-run.ts'
import { rootDirectory } from './host-run.ts'
import { type LoadedOrg, loadOrg } from './load.ts'
import { type OrgRun, withLoadedOrg } from './locks.ts'
import { closeAccount } from './leaver-account.ts'

/** What a receipt says of the client host while the removal is unfinished. */
const unfinished = 'not reached'

/** Takes somebody out of the file and the cluster, deals with jobs and data, and writes the receipt. */
export async function letGo(leaving: Leaving, input: Input, context: CommandContext): Promise<void> {
  const first = await loadOrg(input, context)
  // Before anything is asked of the cluster: most mistakes show here.
  if (decide(leaving, first.org) === undefined) await unfinishedRemoval(leaving.name, first, context)
  undoTime(input)
  const hostRoot = await rootDirectory(input, context)
  await withLoadedOrg(first, 'user remove', { input, context }, async (run) => {
    const decided = decide(leaving, run.loaded.org)
    if (decided === undefined) await goOn(leaving.name, run)
    else await remove({ ...decided, ...leaving, hostRoot }, run)
  })
}

interface Leaving {
  readonly name: string
  readonly jobs: Decision
  readonly data: Decision
}

/** Who leaves, and who gets what; undefined when they are not in the file. @throws {UserError} `NOT_FOUND`, `USAGE` */
function decide(
  { name, jobs, data }: Leaving,
  org: Org,
): { user: User; fate: JobDecision; heir: User | undefined } | undefined {
  const user = org.users.find((each) => each.name === name)
  if (user === undefined) return undefined
  const heir = data.to === undefined ? undefined : receiverNamed(org, data.to, user)
  return { user, fate: jobDecision(jobs, org, user), heir }
}

async function remove(
  leaving: Leaving & { user: User; fate: JobDecision; heir: User | undefined; hostRoot: string },
  run: OrgRun,
): Promise<void> {
  const { user, fate, heir, hostRoot } = leaving
  const { loaded, lock, input, context } = run
  const { text, cuts } = cutText(loaded.text, removeUser(loaded.org, user.name))
  const org = parseChanged(text, loaded)
  const { client } = await context.connect()
  const plan = await planAsAdmin(org, client, {
    now: context.now(),
    jobsOf: { user: user.name, fate: fateOf(fate) },
    signal: context.signal,
  })
  const consented = (change: Change): boolean => change.labels[labels.user] === user.name
  await checkPlan(plan, input, context, { again: 'run the same command with', consented, lock })
  const now = context.now()
  const receipt: Receipt = {
    version: 1,
    user: user.name,
    uid: user.uid,
    home: user.home,
    removedAt: now.toISOString(),
    undoUntil: new Date(now.getTime() + undoTime(input)).toISOString(),
    ...entriesOf(loaded.text, user.name),
    cuts,
    jobs: [],
    jobsDecision: leaving.jobs.do,
    ...(leaving.jobs.to !== undefined && { jobsGoTo: leaving.jobs.to }),
    data: leaving.data.do,
    ...(heir !== undefined && { dataGoesTo: heir.name }),
    host: unfinished,
    ...(!input.flag('no-host') && { hostRoot }),
  }
  // Before anything is taken away, so that an interruption at any point can be undone.
  await dropNeverBegun(receipt, loaded)
  await writeReceipt(loaded.path, receipt)
  for (const group of groupsLedByNobodyElse(loaded.org, user.name)) {
    context.note(
      `note: group ${group} has no lead any more; name one with: arena user grant USER ${group} lead`,
    )
  }
  for (const volume of loaded.org.volumes.filter(({ owner }) => owner === user.name)) {
    context.note(
      `note: volume ${volume.name} still names ${user.name} as its owner; change volumes.${volume.name}.owner`,
    )
  }
  await writeOrgFile(loaded.path, text, loaded.text)
  context.note(`${loaded.name} changed`)
  const again = `arena user remove ${user.name} -f ${loaded.name}`
  let record: object | undefined
  const onRecord = (told: object): void => void (record = told)
  await runPlan(plan, input, context, { again, text, isChecked: true, onRecord, lock })
  await finish({ receipt, user, jobs: fate, heir, record }, run)
}

function fateOf(decision: JobDecision): string {
  if (decision.do === 'hand-to') return `goes to ${decision.user.name}`
  return decision.do === 'stop' ? 'is stopped' : 'goes on without its owner'
}

function undoTime(input: Input): number {
  const typed = input.text('undo-within') ?? '168h'
  const days = /^(\d{1,5})d$/.exec(typed)?.[1]
  const timeMs = days === undefined ? parseDurationMs(typed) : Number(days) * 86_400_000
  if (timeMs !== undefined && timeMs >= 0) return timeMs
  throw new UserError('USAGE', `--undo-within "${typed}" is no duration`, { hint: 'as in: 7d, or 12h30m' })
}

/** A removal that was killed before it changed the file has nothing to prove: this one takes its place. */
async function dropNeverBegun(receipt: Receipt, loaded: LoadedOrg): Promise<void> {
  const earlier = await findReceipt(loaded.path, receipt.user).catch((error: unknown) => {
    if (error instanceof UserError) return undefined
    throw error
  })
  if (earlier === undefined || isSettled(earlier) || earlier.jobs.length > 0) return
  const told = ({ entry, memberships }: Receipt): unknown => ({ entry, memberships })
  if (isDeepStrictEqual(told(earlier), told(receipt))) await dropReceipt(loaded.path, earlier)
}

function isSettled(receipt: Receipt): boolean {
  return receipt.host !== unfinished || receipt.undoneAt !== undefined
}

function groupsLedByNobodyElse(org: Org, leaving: string): readonly string[] {
  return org.groups
    .filter(({ members }) => {
      const leads = members.filter(({ role }) => role === 'lead')
      return leads.length > 0 && leads.every(({ user }) => user === leaving)
    })
    .map(({ name }) => name)
}

/**
 * The removal of somebody who is not in the file, when it is one to go on with.
 *
 * @throws {UserError} `NOT_FOUND`
 */
async function unfinishedRemoval(name: string, loaded: LoadedOrg, context: CommandContext): Promise<Receipt> {
  const receipt = await findReceipt(loaded.path, name).catch((error: unknown) => {
    // The word for a name that nobody has, with the nearest one.
    userNamed(loaded.org, name)
    throw error
  })
  if (receipt.undoneAt !== undefined) userNamed(loaded.org, name)
  if (isSettled(receipt)) {
    const isLate = context.now().getTime() > Date.parse(receipt.undoUntil)
    throw new UserError('NOT_FOUND', `user "${name}" was removed at ${receipt.removedAt}`, {
      hint: isLate
        ? `undoing was possible until ${receipt.undoUntil}; add them anew: arena user add ${name} --uid ${receipt.uid} --group GROUP`
        : `until ${receipt.undoUntil} this brings them back: arena user remove ${name} --undo -f ${loaded.name}`,
    })
  }
  return receipt
}

/** Takes up a removal that was interrupted after the file had changed, as its receipt says and not as is typed now. */
async function goOn(name: string, run: OrgRun): Promise<void> {
  const { loaded, lock, input, context } = run
  const receipt = await unfinishedRemoval(name, loaded, context)
  context.note(`going on with the removal of ${name} that began at ${receipt.removedAt}, as decided then`)
  const user: User = { name, uid: receipt.uid, home: receipt.home, sshKeys: [], shell: '' }
  const jobs = jobDecision(
    {
      do: receipt.jobsDecision ?? 'keep',
      ...(receipt.jobsGoTo !== undefined && { to: receipt.jobsGoTo }),
    },
    loaded.org,
    user,
  )
  const heir =
    receipt.dataGoesTo === undefined ? undefined : receiverNamed(loaded.org, receipt.dataGoesTo, user)
  const { client } = await context.connect()
  const plan = await planAsAdmin(loaded.org, client, { now: context.now(), signal: context.signal })
  const again = `arena user remove ${name} -f ${loaded.name}`
  const consented = (change: Change): boolean => change.labels[labels.user] === name
  await checkPlan(plan, input, context, { again, consented, lock })
  let record: object | undefined
  const onRecord = (told: object): void => void (record = told)
  await runPlan(plan, input, context, { again, text: loaded.text, isChecked: true, onRecord, lock })
  await finish({ receipt, user, jobs, heir, record }, run)
}

/** What comes after the account is gone; every step may be repeated. */
async function finish(
  removal: {
    receipt: Receipt
    user: User
    jobs: JobDecision
    heir: User | undefined
    /** What was changed in the cluster, where that is wanted as data. */
    record: object | undefined
  },
  { loaded, input, context }: OrgRun,
): Promise<void> {
  const { user } = removal
  const { client } = await context.connect()
  await dropStaticToken(client, user)
  const found = await findOwnedJobs(client, user.name)
  const before = removal.receipt.jobs.filter((each) => !found.some(({ job }) => job.uid === each.uid))
  const receipt = { ...removal.receipt, jobs: [...before, ...found.map(({ job }) => job)] }
  if (removal.jobs.do === 'stop') {
    for (const owned of found) await keepManifest(loaded.path, receipt, owned)
  }
  // What is handed over no longer names its first owner: the receipt has to, before it happens.
  await writeReceipt(loaded.path, receipt)
  const settled = await settleJobs(client, receipt.jobs, removal.jobs)
  await writeReceipt(loaded.path, { ...receipt, jobs: settled })
  const host = input.flag('no-host') ? 'left alone' : await closeAccount(receipt, removal, input, context)
  const path = await writeReceipt(loaded.path, { ...receipt, jobs: settled, host })
  if (removal.record !== undefined) {
    const told = { jobs: settled, host, receipt: path, undoUntil: receipt.undoUntil }
    const format = outputFormat(input) === 'yaml' ? 'yaml' : 'json'
    context.print(await formatData({ ...removal.record, ...told }, format))
  }
  for (const job of settled) {
    context.note(
      `job ${job.namespace}/${job.name}: ${job.outcome}${job.reason === undefined ? '' : ` (${job.reason})`}`,
    )
  }
  context.note(`account on this machine: ${host}`)
  context.note(
    `receipt: ${path}; until ${receipt.undoUntil} this brings ${user.name} back: arena user remove ${user.name} --undo -f ${loaded.name}`,
  )
}

function jobDecision(decision: Decision, org: Org, leaving: User): JobDecision {
  if (decision.to !== undefined) return { do: 'hand-to', user: receiverNamed(org, decision.to, leaving) }
  return { do: decision.do === 'keep' ? 'keep' : 'stop' }
}

function receiverNamed(org: Org, name: string, leaving: User): User {
  const receiver = userNamed(org, name)
  if (receiver.name !== leaving.name) return receiver
  throw new UserError('USAGE', `"${name}" is the one who leaves`, {
    hint: 'name somebody else after hand-to',
  })
}

/** A token that never expires dies with the account; its secret must not come to life with a new one of the name. */
async function dropStaticToken(client: KubeClient, user: User): Promise<void> {
  try {
    await client.delete(kinds.secrets, { namespace: user.home, name: `${user.name}-token` })
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
}

function entriesOf(text: string, user: string): Pick<Receipt, 'entry' | 'memberships'> {
  const file: unknown = parse(text)
  const groups = field(file, 'groups')
  const memberships: Record<string, unknown> = {}
  for (const group of typeof groups === 'object' && groups !== null ? Object.keys(groups) : []) {
    const membership = field(field(field(groups, group), 'members'), user)
    if (membership !== undefined) memberships[group] = membership
  }
  return { entry: field(field(file, 'users'), user), memberships }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
