import { UserError } from '../../errors.ts'
import {
  changeOrgFile,
  type Edit,
  editText,
  type Org,
  OrgFileError,
  parseOrg,
  writeOrgFile,
} from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { type LoadedOrg, loadOrg } from './load.ts'
import { type OrgRun, withLoadedOrg } from './locks.ts'
import { checkPlan, runPlan } from './apply-run.ts'
import { planAsAdmin } from './as-admin.ts'

/**
 * Edits the organisation file, comments and order kept, and makes the cluster follow. A change that the file's checks,
 * the plan or the admin refuses leaves the file as it was.
 *
 * @param what the command, as in `user add`
 * @param edit what to change in the file as it is at that moment; asked again when others were quicker
 */
export async function changeOrg(
  what: string,
  input: Input,
  context: CommandContext,
  edit: (loaded: LoadedOrg) => readonly Edit[],
): Promise<void> {
  const first = await loadOrg(input, context)
  // Before anything is asked of the cluster: most mistakes show here.
  const text = editText(first.text, edit(first))
  parseChanged(text, first)
  if (input.flag('edit-only')) {
    if (text === first.text) return context.print(`${first.name} says so already; nothing to do`)
    return editFile(first, edit, context)
  }
  await withLoadedOrg(first, what, { input, context }, (run) =>
    changeOrgText(editText(run.loaded.text, edit(run.loaded)), run),
  )
}

async function editFile(
  first: LoadedOrg,
  edit: (loaded: LoadedOrg) => readonly Edit[],
  context: CommandContext,
): Promise<void> {
  await changeOrgFile(first.path, (current) => {
    const loaded =
      current === first.text ? first : { ...first, text: current, org: parseOrg(current, first.name) }
    const text = editText(current, edit(loaded))
    parseChanged(text, loaded)
    return text
  })
  context.print(`${first.name} changed; next: arena org plan -f ${first.name}`)
}

/** Plans the text as it is to be, writes it, and makes the cluster follow. */
export async function changeOrgText(text: string, { loaded, lock, input, context }: OrgRun): Promise<void> {
  const org = parseChanged(text, loaded)
  const { client } = await context.connect()
  const plan = await planAsAdmin(org, client, {
    now: context.now(),
    adopt: input.flag('adopt'),
    signal: context.signal,
  })
  const again = `arena org apply -f ${loaded.name}`
  await checkPlan(plan, input, context, { again: 'run the same command with', lock })
  if (text === loaded.text) {
    // An earlier run may have been interrupted between the file and the cluster.
    context.note(`${loaded.name} says so already`)
  } else {
    await writeOrgFile(loaded.path, text, loaded.text)
    context.note(`${loaded.name} changed`)
  }
  await runPlan(plan, input, context, { again, isChecked: true, text, lock })
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
