import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'

export const userAdd: Command = {
  path: 'user add',
  summary: 'Add a user to the organisation file and the cluster.',
  description: `
Examples:
  arena user add eve --group dev1
  arena user add eve --group dev1 --role lead --uid 20003 --full-name "Eve E" --email eve@example.com`,
  group: 'organisation',
  arguments: [{ name: 'NAME', meaning: 'Linux and service account name.' }],
  flags: [
    {
      name: 'group',
      short: 'g',
      type: 'string',
      required: true,
      value: 'GROUP',
      meaning: 'The first group.',
    },
    { name: 'role', type: 'string', default: 'member', value: 'ROLE', meaning: 'Role in the group.' },
    {
      name: 'uid',
      type: 'integer',
      meaning: 'Linux user id; default: the next that nobody has or had.',
    },
    { name: 'full-name', type: 'string', value: 'NAME', meaning: 'Full name of the person.' },
    { name: 'email', type: 'string', value: 'ADDRESS', meaning: 'Mail address.' },
    { name: 'ssh-key', type: 'strings', value: 'KEY', meaning: 'Public key, as in a .pub file.' },
    ...changeFlags,
  ],
  async run(input, context) {
    const [{ addUser, idsOfThoseWhoLeft }, { changeOrg }, { organisationFile }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
      import('../organisation/flags.ts'),
    ])
    const [name = ''] = input.arguments
    const [uid, fullName, email] = [input.integer('uid'), input.text('full-name'), input.text('email')]
    const left = await idsOfThoseWhoLeft(organisationFile(input, context).path).catch((error: unknown) => {
      // Whoever names an id has chosen it; receipts are for the admin who wrote them.
      if (uid === undefined || !(error instanceof UserError)) throw error
      context.note(`note: ${error.message}: whether somebody who left had the id ${uid} is not known`)
      return new Map<number, string>()
    })
    const user = {
      name,
      group: input.text('group') ?? '',
      role: input.text('role') ?? 'member',
      sshKeys: input.texts('ssh-key'),
      ...(uid !== undefined && { uid }),
      ...(fullName !== undefined && { fullName }),
      ...(email !== undefined && { email }),
    }
    await changeOrg('user add', input, context, ({ org }) => addUser(org, { ...user, usedIds: left.keys() }))
    const earlier = uid === undefined ? undefined : left.get(uid)
    if (earlier !== undefined && earlier !== name) {
      context.note(
        `note: ${earlier}, who left, had the id ${uid}: ${name} can use the files that are still theirs`,
      )
    }
  },
}
