import { UserError } from '../../errors.ts'
import { hasCode } from '../../files.ts'
import type { KubeClient } from '../../kube/index.ts'
import type { Org } from '../../tenancy/index.ts'
import type { Command, CommandContext, Input } from '../command.ts'
import { fileFlag } from '../organisation/flags.ts'

export const orgExport: Command = {
  path: 'org export',
  summary: 'Print the organisation as the cluster has it, as an organisation file.',
  description: `
SSH keys, shells and hashes of passwords, which the cluster does not know, come from the file of -f, if it is there.
With --manifests, prints the Kubernetes objects that the file asks for instead, for kubectl or a repository that a
deployment tool watches.

Examples:
  arena org export > exported.yaml
  arena org export --name department1 > exported.yaml
  arena org export --manifests -f org.yaml | kubectl apply --dry-run=server -f -`,
  group: 'organisation',
  flags: [
    fileFlag,
    {
      name: 'name',
      type: 'string',
      value: 'NAME',
      meaning: 'The organisation (default: that of the file, else the only one in the cluster).',
    },
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
    const isJson = input.text('output') === 'json'
    if (input.flag('manifests')) {
      const { org } = await loadOrg(input, context)
      const items = tenancy.desiredObjects(org, context.now()).map(({ object }) => object)
      const { formatData } = await import('../output.ts')
      const list = { apiVersion: 'v1', kind: 'List', items }
      return context.print(await formatData(list, isJson ? 'json' : 'yaml'))
    }
    const { asAdmin } = await import('../organisation/as-admin.ts')
    const { client } = await context.connect()
    const org = await loadIfThere(input, context)
    const organisation =
      input.isGiven('name') || org === undefined
        ? await asAdmin('see all of the organisation', chooseOrganisation(client, input.text('name')))
        : org.name
    const known = org?.name === organisation ? org : undefined
    if (known === undefined) {
      context.note(
        'note: without a file of this organisation, SSH keys, shells and hashes of passwords are missing',
      )
    }
    const draft = await asAdmin(
      'see all of the organisation',
      tenancy.draftFromCluster(client, {
        organisation,
        ownedOnly: true,
        signal: context.signal,
      }),
    )
    // What only the file knows: the cluster has no use for it.
    for (const user of known?.users ?? []) {
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

/** The file of `-f`. None when it is not there, or still empty because the output is on its way into it. */
async function loadIfThere(input: Input, context: CommandContext): Promise<Org | undefined> {
  const [{ parseOrg, readOrgText }, { organisationFile }] = await Promise.all([
    import('../../tenancy/index.ts'),
    import('../organisation/flags.ts'),
  ])
  const { name, path } = organisationFile(input, context)
  const text = await readOrgText(path).catch((error: unknown) => {
    const isMissing = error instanceof UserError && hasCode(error.cause, 'ENOENT')
    if (isMissing && !input.isGiven('file')) return ''
    throw error
  })
  return text.trim() === '' ? undefined : parseOrg(text, name)
}

/**
 * The organisation of a name, or the only one.
 *
 * @throws {UserError} `NOT_FOUND`, `USAGE`
 */
async function chooseOrganisation(client: KubeClient, name: string | undefined): Promise<string> {
  const { listOrganisations } = await import('../../tenancy/index.ts')
  const [only, ...others] = await listOrganisations(client)
  if (name !== undefined && [only, ...others].includes(name)) return name
  if (name !== undefined && only !== undefined) {
    throw new UserError('NOT_FOUND', `the cluster has no organisation "${name}"`, {
      hint: `it has: ${[only, ...others].join(', ')}`,
    })
  }
  if (only === undefined) {
    throw new UserError('NOT_FOUND', 'the cluster has no organisation', {
      hint: 'for groups that were made by hand: arena org init --import cluster',
    })
  }
  if (others.length === 0) return only
  throw new UserError('USAGE', `the cluster has ${others.length + 1} organisations`, {
    hint: `name one of: ${[only, ...others].map((name) => `--name ${name}`).join(', ')}`,
  })
}

function fileOnly(user: { sshKeys: readonly string[]; shell: string; passwordHash?: string }): object {
  return {
    ...(user.sshKeys.length > 0 && { sshKeys: [...user.sshKeys] }),
    ...(user.shell !== '/bin/bash' && { shell: user.shell }),
    ...(user.passwordHash !== undefined && { passwordHash: user.passwordHash }),
  }
}
