import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type HostPlan,
  type HostState,
  type HostWorld,
  planHost,
  readHost,
  runProgram,
  type WantedHost,
} from '../../host/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { ownProgram, servesUser, wantedHost } from './host.ts'
import { clusterAddress } from './kubeconfig.ts'
import { type LoadedOrg, loadOrg } from './load.ts'

export interface HostRun {
  readonly loaded: LoadedOrg
  readonly wanted: WantedHost
  readonly state: HostState
  readonly plan: HostPlan
  readonly world: HostWorld
}

/**
 * The directory that `--root` names.
 *
 * @throws {UserError} `NOT_FOUND`
 */
export async function rootDirectory(input: Input, context: CommandContext): Promise<string> {
  const typed = input.text('root') ?? '/'
  const path = resolve(context.workingDirectory, typed)
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  })
  if (found?.isDirectory() === true) return path
  throw new UserError('NOT_FOUND', `root "${typed}" is no directory`, {
    hint: 'name the directory where the image is unpacked, as in: --root /srv/images/login',
  })
}

/** Reads the file and the host, and compares them. */
export async function prepareHostRun(input: Input, context: CommandContext): Promise<HostRun> {
  const loaded = await loadOrg(input, context)
  const world: HostWorld = { run: runProgram, root: await rootDirectory(input, context) }
  const wanted = wantedHost(loaded.org, {
    now: context.now(),
    firstPasswords: input.flag('no-passwords') ? 'none' : 'one-time',
    program: input.flag('no-program') ? undefined : await ownProgram(),
  })
  const state = await readHost(world, wanted)
  const server = input.flag('no-kubeconfig') ? undefined : (await clusterAddress(input, context)).server
  const homes = new Map(loaded.org.users.map((user) => [user.name, user.home]))
  const plan = planHost(
    wanted,
    state,
    server === undefined
      ? {}
      : {
          isKubeconfigGood: (name, text) => servesUser(text, { name, home: homes.get(name) ?? '', server }),
        },
  )
  return { loaded, wanted, state, plan, world }
}
