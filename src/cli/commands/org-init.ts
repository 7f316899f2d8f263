import { access } from 'node:fs/promises'
import { hasCode } from '../../files.ts'
import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { fileFlag, mayAsk, organisationFile, yesFlag } from '../organisation/flags.ts'

export const orgInit: Command = {
  path: 'org init',
  summary: 'Start an organisation file.',
  description: `
Asks for the first group and user at a terminal; writes an example to be edited otherwise. With --import cluster it reads
namespaces, accounts, bindings, quotas and claims as people or scripts made them; ids come from this machine's accounts
where the names are known. With --import FILE.csv it reads columns user, group, and if wanted uid, gid, role, name, email.

Examples:
  arena org init
  arena org init --import cluster --name department1
  arena org init --import people.csv -f org.yaml`,
  group: 'organisation',
  flags: [
    fileFlag,
    yesFlag,
    {
      name: 'import',
      type: 'string',
      value: 'cluster|FILE.csv',
      meaning: 'Make the file from what is there.',
    },
    {
      name: 'name',
      type: 'string',
      value: 'NAME',
      meaning: 'Name of the organisation (default: company for imported ones).',
    },
    { name: 'force', type: 'boolean', meaning: 'Write over a file that exists.' },
  ],
  async run(input, context) {
    const { name, path } = organisationFile(input, context)
    if (!input.flag('force') && (await exists(path))) {
      throw new UserError('ALREADY_EXISTS', `organisation file "${name}" exists already`, {
        hint: 'name another one with -f FILE, or write over it with --force',
      })
    }
    const [{ createOrgFile, exampleOrg, writeOrgFile }, { askOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/ask.ts'),
    ])
    const write = input.flag('force') ? writeOrgFile : createOrgFile
    const source = input.text('import')
    if (source !== undefined) {
      const { importOrg } = await import('../organisation/import.ts')
      const { text: imported, notes } = await importOrg(source, input, context)
      await write(path, imported)
      for (const note of notes) context.note(`note: ${note}`)
      context.print(
        `${name} written; next: arena org check -f ${name}, then arena org plan -f ${name} --adopt`,
      )
      return
    }
    const named = input.isGiven('name') ? { organisation: input.text('name') ?? '' } : {}
    const text = mayAsk(input, context) ? await askOrg(context, named) : exampleOrg(named)
    await write(path, text)
    context.print(`${name} written; next: arena org check -f ${name}, then arena org plan -f ${name}`)
  },
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
