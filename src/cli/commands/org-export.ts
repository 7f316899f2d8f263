import type { Command } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'

export const orgExport: Command = {
  path: 'org export',
  summary: 'Print the organisation as the cluster has it, as an organisation file.',
  description: `
With --manifests, prints the Kubernetes objects that the file asks for instead, for kubectl or a repository that a
deployment tool watches.

Examples:
  arena org export > org.yaml
  arena org export --manifests -f org.yaml | kubectl apply --dry-run=server -f -`,
  group: 'organisation',
  flags: [
    fileFlag,
    {
      name: 'manifests',
      type: 'boolean',
      meaning: 'Print the Kubernetes objects of the file; needs no cluster.',
    },
    {
      name: 'output',
      short: 'o',
      type: 'string',
      default: 'yaml',
      choices: ['yaml', 'json'],
      value: 'FORMAT',
      meaning: 'Output format.',
    },
  ],
  async run(input, context) {
    const tenancy = await import('../../tenancy/index.ts')
    const { loadOrg } = await import('../organisation/load.ts')
    const { org } = await loadOrg(input, context)
    const isJson = input.text('output') === 'json'
    if (input.flag('manifests')) {
      const items = tenancy.desiredObjects(org, context.now()).map(({ object }) => object)
      const { formatData } = await import('../output.ts')
      const list = { apiVersion: 'v1', kind: 'List', items }
      return context.print(await formatData(list, isJson ? 'json' : 'yaml'))
    }
    const { asAdmin } = await import('../organisation/as-admin.ts')
    const { client } = await context.connect()
    const draft = await asAdmin(
      'see all of the organisation',
      tenancy.draftFromCluster(client, {
        organisation: org.name,
        ownedOnly: true,
        signal: context.signal,
      }),
    )
    // What only the file knows: the cluster has no use for it.
    for (const user of org.users) {
      const exported = draft.users.get(user.name)
      if (exported) Object.assign(exported, fileOnly(user))
    }
    tenancy.fillIds(draft, { uid: () => undefined, gid: () => undefined })
    const text = tenancy.draftText(draft)
    if (!isJson) return void context.stdout.write(text)
    const { parse } = await import('yaml')
    context.print(JSON.stringify(parse(text), undefined, 4))
  },
}

function fileOnly(user: { sshKeys: readonly string[]; shell: string; passwordHash?: string }): object {
  return {
    ...(user.sshKeys.length > 0 && { sshKeys: [...user.sshKeys] }),
    ...(user.shell !== '/bin/bash' && { shell: user.shell }),
    ...(user.passwordHash !== undefined && { passwordHash: user.passwordHash }),
  }
}
