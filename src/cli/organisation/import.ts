import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { findAccount, runProgram } from '../../host/index.ts'
import { draftFromCluster, draftFromCsv, draftText, fillIds, type OrgDraft } from '../../tenancy/index.ts'
import { asAdmin } from './as-admin.ts'
import type { CommandContext, Input } from '../command.ts'

/** Makes an organisation file of what is in the cluster or in a CSV file, with the ids that this machine knows. */
export async function importOrg(
  source: string,
  input: Input,
  context: CommandContext,
): Promise<{ text: string; notes: readonly string[] }> {
  const organisation = input.text('name') ?? 'company'
  const draft =
    source === 'cluster'
      ? await asAdmin(
          'see all of the organisation',
          draftFromCluster((await context.connect()).client, { organisation, signal: context.signal }),
        )
      : draftFromCsv(await readCsv(source, context), organisation, source)
  fillIds(draft, await idsOfThisMachine(draft))
  return { text: draftText(draft), notes: draft.notes }
}

async function readCsv(source: string, context: CommandContext): Promise<string> {
  try {
    return await readFile(resolve(context.workingDirectory, source), 'utf8')
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `file "${source}" cannot be read`, {
      hint: 'use --import cluster, or name a CSV file',
      cause,
    })
  }
}

async function idsOfThisMachine(draft: OrgDraft) {
  const uids = new Map<string, number>()
  const gids = new Map<string, number>()
  for (const name of draft.users.keys()) {
    const account = await findAccount(runProgram, name)
    if (account !== undefined && account.uid >= 1000) uids.set(name, account.uid)
  }
  for (const name of draft.groups.keys()) {
    const { status, output } = await runProgram('getent', ['group', '--', name])
    const gid = Number(output.split(':')[2])
    if (status === 0 && gid >= 1000) gids.set(name, gid)
  }
  return { uid: (name: string) => uids.get(name), gid: (name: string) => gids.get(name) }
}
