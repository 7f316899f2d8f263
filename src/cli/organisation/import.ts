import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { findIds, runProgram } from '../../host/index.ts'
import {
  decodeCsv,
  draftFromCluster,
  draftFromCsv,
  draftText,
  fillIds,
  type KnownIds,
  type OrgDraft,
} from '../../tenancy/index.ts'
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
      : await draftFromFile(source, organisation, context)
  fillIds(draft, await idsOfThisMachine(draft))
  return { text: draftText(draft), notes: draft.notes }
}

async function draftFromFile(
  source: string,
  organisation: string,
  context: CommandContext,
): Promise<OrgDraft> {
  const { text, note } = decodeCsv(await readCsv(source, context))
  const draft = draftFromCsv(text, organisation, source)
  if (note !== undefined) draft.notes.push(`file "${source}" ${note}`)
  return draft
}

async function readCsv(source: string, context: CommandContext): Promise<Uint8Array> {
  try {
    return await readFile(resolve(context.workingDirectory, source))
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `file "${source}" cannot be read`, {
      hint: 'use --import cluster, or name a CSV file',
      cause,
    })
  }
}

async function idsOfThisMachine(draft: OrgDraft): Promise<KnownIds> {
  const [uids, gids] = await Promise.all([
    findIds(runProgram, 'passwd', [...draft.users.keys()]),
    findIds(runProgram, 'group', [...draft.groups.keys()]),
  ])
  // Those below belong to the system.
  const ofPeople = (id: number | undefined): number | undefined =>
    id !== undefined && id >= 1000 ? id : undefined
  return { uid: (name) => ofPeople(uids.get(name)), gid: (name) => ofPeople(gids.get(name)) }
}
