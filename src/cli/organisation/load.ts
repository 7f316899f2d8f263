import { type Org, parseOrg, readOrgText } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { organisationFile } from './flags.ts'

/** An organisation file that was read and found right. */
export interface LoadedOrg {
  readonly org: Org
  /** As typed. */
  readonly name: string
  readonly path: string
  readonly text: string
}

/** Reads the file of `-f`. Messages name it as it was typed. */
export async function loadOrg(input: Input, context: CommandContext): Promise<LoadedOrg> {
  const file = organisationFile(input, context)
  const text = await readOrgText(file.path, file.name)
  return { ...file, text, org: parseOrg(text, file.name) }
}
