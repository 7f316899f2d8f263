import { UserError } from '../../errors.ts'
import { type Edit, editText, type Org, OrgFileError, parseOrg, writeOrgFile } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import type { LoadedOrg } from './load.ts'
import { checkPlan, runPlan } from './apply-run.ts'
import { planAsAdmin } from './as-admin.ts'

/**
 * Edits the organisation file, comments and order kept, and makes the cluster follow. A change that the file's checks,
 * the plan or the admin refuses leaves the file as it was.
 */
export async function changeOrg(
  loaded: LoadedOrg,
  edits: readonly Edit[],
  input: Input,
  context: CommandContext,
): Promise<void> {
  await changeOrgText(loaded, editText(loaded.text, edits), input, context)
}

/** The same with the text as it is to be. */
export async function changeOrgText(
  loaded: LoadedOrg,
  text: string,
  input: Input,
  context: CommandContext,
): Promise<void> {
  if (text === loaded.text) return context.print(`${loaded.name} says so already; nothing to do`)
  const org = parseChanged(text, loaded)
  if (input.flag('edit-only')) {
    await writeOrgFile(loaded.path, text, loaded.text)
    context.print(`${loaded.name} changed; next: arena org plan -f ${loaded.name}`)
    return
  }
  const { client } = await context.connect()
  const plan = await planAsAdmin(org, client, {
    now: context.now(),
    adopt: input.flag('adopt'),
    signal: context.signal,
  })
  const again = `arena org apply -f ${loaded.name}`
  await checkPlan(plan, input, context, { again: 'run the same command with' })
  await writeOrgFile(loaded.path, text, loaded.text)
  context.note(`${loaded.name} changed`)
  await runPlan(plan, input, context, { again, isChecked: true, text })
}

/** What the file would be. @throws {UserError} `ORG_FILE_INVALID` */
export function parseChanged(text: string, loaded: LoadedOrg): Org {
  try {
    return parseOrg(text, loaded.name)
  } catch (error) {
    if (!(error instanceof OrgFileError)) throw error
    const faults = error.message.split('\n').slice(1).join('\n')
    throw new UserError(
      'ORG_FILE_INVALID',
      `the change would make ${loaded.name} wrong; it was left as it is\n${faults}`,
      {
        cause: error,
      },
    )
  }
}
