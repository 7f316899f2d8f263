import {
  findAccountIn,
  handHomeOver,
  type HostWorld,
  lockAccount,
  runProgram,
  unlockAccount,
} from '../../host/index.ts'
import type { Receipt, User } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { withHostLock } from './locks.ts'

/** Locks the Linux account of somebody who leaves, and hands the files of the home over. Returns what was done, in words. */
export async function closeAccount(
  receipt: Receipt,
  { user, heir }: { user: User; heir: User | undefined },
  input: Input,
  context: CommandContext,
): Promise<string> {
  if (receipt.hostRoot === undefined) return 'left alone'
  const world: HostWorld = { run: runProgram, root: receipt.hostRoot }
  const account = await findAccountIn(world, user.name)
  if (account?.uid !== user.uid) return 'there is none'
  if (process.getuid?.() !== 0) return 'still open: lock it as root with: arena host apply'
  return withHostLock({ root: world.root, what: 'user remove' }, input, context, async () => {
    await lockAccount(world, account.name)
    if (heir === undefined) return `locked; ${account.home} stays`
    const receiver = await findAccountIn(world, heir.name)
    if (receiver === undefined) return `locked; ${account.home} stays, as ${heir.name} has no account here`
    await handHomeOver(runProgram, account, receiver)
    return `locked; ${account.home} belongs to ${heir.name} now`
  })
}

/** Opens the account again that was locked when its owner left. */
export async function openAccount(receipt: Receipt, input: Input, context: CommandContext): Promise<void> {
  // What was left alone is still open.
  if (receipt.host === 'left alone' || receipt.hostRoot === undefined) return
  const world: HostWorld = { run: runProgram, root: receipt.hostRoot }
  const account = await findAccountIn(world, receipt.user)
  if (account?.uid !== receipt.uid) return
  if (process.getuid?.() !== 0) {
    return context.note(`account ${receipt.user} on this machine: open it as root with: arena host apply`)
  }
  await withHostLock({ root: world.root, what: 'user remove --undo' }, input, context, async () => {
    await unlockAccount(world, account.name)
    const heir = receipt.dataGoesTo === undefined ? undefined : await findAccountIn(world, receipt.dataGoesTo)
    if (heir !== undefined) await handHomeOver(runProgram, { ...heir, home: account.home }, account)
  })
  context.note(`account ${account.name} on this machine is open again`)
}
