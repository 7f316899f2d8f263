import { type Edit, editText, parseOrg, planOrg, writeOrgFile } from '../../tenancy/index.ts'
import type { CommandContext, Input } from '../command.ts'
import type { LoadedOrg } from './load.ts'
import { checkPlan, runPlan } from './apply-run.ts'

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
  const text = editText(loaded.text, edits)
  if (text === loaded.text) return context.print(`${loaded.name} says so already; nothing to do`)
  const org = parseOrg(text, `${loaded.name} (as changed)`)
  if (input.flag('edit-only')) {
    await writeOrgFile(loaded.path, text)
    context.print(`${loaded.name} changed; next: arena org plan -f ${loaded.name}`)
    return
  }
  const { client } = await context.connect()
  const plan = await planOrg(org, client, {
    now: context.now(),
    adopt: input.flag('adopt'),
    signal: context.signal,
  })
  const again = `arena org apply -f ${loaded.name}`
  await checkPlan(plan, input, context, { again: 'run the same command with' })
  await writeOrgFile(loaded.path, text)
  context.note(`${loaded.name} changed`)
  await runPlan(plan, input, context, { again, isChecked: true, text })
}
