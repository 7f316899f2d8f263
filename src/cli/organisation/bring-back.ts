import { UserError } from '../../errors.ts'
import type { KubeClient } from '../../kube/index.ts'
import {
  findOwnedJobs,
  findReceipt,
  manifestDirectory,
  mendText,
  type Receipt,
  settleJobs,
  writeReceipt,
} from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { runPlan } from './apply-run.ts'
import { planAsAdmin } from './as-admin.ts'
import { changeOrgText } from './change-run.ts'
import { type LoadedOrg, loadOrg } from './load.ts'
import { openAccount } from './leaver-account.ts'
import { type OrgRun, withLoadedOrg } from './locks.ts'

/** Brings somebody back as the receipt of their removal has them. */
export async function bringBack(name: string, input: Input, context: CommandContext): Promise<void> {
  const first = await loadOrg(input, context)
  await withLoadedOrg(first, 'user remove --undo', { input, context }, (run) => bringBackInto(name, run))
}

async function bringBackInto(name: string, run: OrgRun): Promise<void> {
  const { loaded, input, context } = run
  const present = loaded.org.users.find((user) => user.name === name)
  const receipt = await findReceipt(loaded.path, name).catch((error: unknown) => {
    if (present === undefined || !(error instanceof UserError) || error.code !== 'NOT_FOUND') throw error
    throw new UserError(
      'ALREADY_EXISTS',
      `user "${name}" is in the organisation file and was never removed`,
      {
        hint: 'nothing to undo',
      },
    )
  })
  if (present !== undefined && (receipt.undoneAt !== undefined || present.uid !== receipt.uid)) {
    throw new UserError('ALREADY_EXISTS', `user "${name}" is in the organisation file already`, {
      hint:
        receipt.undoneAt === undefined
          ? `nothing to undo: it is another one, with the uid ${present.uid} and not ${receipt.uid}`
          : `nothing to undo: they have been back since ${receipt.undoneAt}`,
    })
  }
  if (receipt.undoneAt !== undefined) {
    throw new UserError('REJECTED', `the removal of "${name}" was undone already, at ${receipt.undoneAt}`, {
      hint: `add the user again: arena user add ${name} --uid ${receipt.uid} --group GROUP`,
    })
  }
  if (context.now().getTime() > Date.parse(receipt.undoUntil)) {
    throw new UserError('REJECTED', `the removal of "${name}" could be undone until ${receipt.undoUntil}`, {
      hint: `add the user again: arena user add ${name} --uid ${receipt.uid} --group GROUP`,
    })
  }
  if (present === undefined) await writeBack(receipt, run)
  else await followFile(run)
  const { client } = await context.connect()
  if (receipt.jobsGoTo !== undefined) await takeBackJobs(client, receipt, context)
  if (!input.flag('no-host')) await openAccount(receipt, input, context)
  await writeReceipt(loaded.path, { ...receipt, undoneAt: context.now().toISOString() })
  tellOfStopped(receipt, loaded, context)
  context.note(`${name} is back and needs a new kubeconfig: arena user kubeconfig ${name}`)
}

async function writeBack(receipt: Receipt, run: OrgRun): Promise<void> {
  const { loaded, context } = run
  const name = receipt.user
  const groups = new Set(loaded.org.groups.map((group) => group.name))
  const memberships = Object.entries(receipt.memberships).filter(([group]) => groups.has(group))
  const edits = [
    { path: ['users', name], value: receipt.entry },
    ...memberships.map(([group, value]) => ({ path: ['groups', group, 'members', name], value })),
  ]
  const { text, misplaced } = mendText(loaded.text, edits, receipt.cuts ?? [])
  await changeOrgText(text, run)
  if (misplaced.length > 0) {
    context.note(
      `note: ${loaded.name} has changed where these stood; they are at the end of their section now, without comments: ${misplaced.join(', ')}`,
    )
  }
  const lost = Object.keys(receipt.memberships).filter((group) => !groups.has(group))
  if (lost.length > 0) context.note(`note: these groups are no more: ${lost.join(', ')}`)
}

/** An undoing that was interrupted after it had changed the file goes on from there. */
async function followFile({ loaded, lock, input, context }: OrgRun): Promise<void> {
  const { client } = await context.connect()
  const plan = await planAsAdmin(loaded.org, client, { now: context.now(), signal: context.signal })
  const again = `arena org apply -f ${loaded.name}`
  await runPlan(plan, input, context, { again, text: loaded.text, lock })
}

function tellOfStopped(receipt: Receipt, loaded: LoadedOrg, context: CommandContext): void {
  const stopped = receipt.jobs.filter((job) => job.outcome === 'stopped')
  if (stopped.length === 0) return
  const names = stopped.map((job) => `${job.namespace}/${job.name}`).join(', ')
  context.note(
    `stopped, and not brought back: ${names}; to start them anew: kubectl create -f ${manifestDirectory(loaded.path, receipt)}`,
  )
}

async function takeBackJobs(client: KubeClient, receipt: Receipt, context: CommandContext): Promise<void> {
  const owned = await findOwnedJobs(client, receipt.jobsGoTo ?? '')
  const handed = receipt.jobs.filter(
    (job) =>
      (job.outcome === 'handed over' || job.outcome === 'begun') &&
      owned.some(
        ({ job: each }) =>
          each.kind.toLowerCase() === job.kind.toLowerCase() &&
          each.namespace === job.namespace &&
          each.name === job.name &&
          (job.uid === undefined || each.uid === job.uid),
      ),
  )
  const owner = { name: receipt.user, uid: receipt.uid, home: receipt.home, sshKeys: [], shell: '' }
  for (const job of await settleJobs(client, handed, { do: 'hand-to', user: owner })) {
    if (job.outcome === 'failed') {
      context.note(`job ${job.namespace}/${job.name}: not given back (${job.reason ?? ''})`)
    }
  }
}
