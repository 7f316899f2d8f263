import { UserError } from '../errors.ts'
import type { HostAccount } from './account.ts'
import type { Run } from './run.ts'
import type { HostWorld } from './state.ts'

/** Locks an account and lets it expire, so that neither password nor key gets in; its home stays. */
export async function lockAccount(world: HostWorld, name: string): Promise<void> {
  await must(world.run, 'usermod', [...prefix(world), '-L', '-e', '1', '--', name])
}

/** Opens an account that {@link lockAccount} closed. */
export async function unlockAccount(world: HostWorld, name: string): Promise<void> {
  await must(world.run, 'usermod', [...prefix(world), '-e', '', '--', name])
  // Refused for an account that never had a password: then there is nothing to unlock.
  await world.run('usermod', [...prefix(world), '-U', '--', name])
}

/** Gives the files of a home to another account, where they are. Files of others in it stay theirs. */
export async function handHomeOver(
  run: Run,
  from: HostAccount,
  to: Pick<HostAccount, 'uid' | 'gid'>,
): Promise<void> {
  // -h and -P: links are changed themselves, never what they point to.
  await must(run, 'chown', ['-R', '-h', '-P', `--from=${from.uid}`, `${to.uid}:${to.gid}`, '--', from.home])
}

function prefix({ root }: HostWorld): readonly string[] {
  return root === '/' ? [] : ['--prefix', root]
}

async function must(run: Run, command: string, args: readonly string[]): Promise<void> {
  const { status, errors } = await run(command, args)
  if (status === 0) return
  throw new UserError('HOST_CONFLICT', `${command} ${args.at(-1) ?? ''} failed with status ${status}`, {
    hint: errors.trim(),
  })
}
