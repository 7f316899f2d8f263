import { UserError } from '../../errors.ts'
import type { Command, Input } from '../command.ts'
import { changeFlags } from '../organisation/change-flags.ts'

export const volumeAdd: Command = {
  path: 'volume add',
  summary: 'Add a volume to the organisation file and the cluster.',
  description: `
Examples:
  arena volume add data --size 100Gi --access dev1=write --access dev2=read --nfs nas.example:/data
  arena volume add scratch --size 10Gi --access dev1=write --directory /srv/scratch`,
  group: 'organisation',
  arguments: [{ name: 'NAME', meaning: 'The volume.' }],
  flags: [
    { name: 'size', type: 'string', required: true, value: 'AMOUNT', meaning: 'Capacity, as in 100Gi.' },
    {
      name: 'access',
      type: 'strings',
      value: 'GROUP=read|write',
      meaning: 'Who may use it.',
    },
    { name: 'nfs', type: 'string', value: 'SERVER:/PATH', meaning: 'Data on an NFS server.' },
    { name: 'csi', type: 'string', value: 'DRIVER:HANDLE', meaning: 'Data behind a CSI driver.' },
    { name: 'storage-class', type: 'string', value: 'CLASS', meaning: 'A new volume of a storage class.' },
    { name: 'host-path', type: 'string', value: 'PATH', meaning: 'A directory that every node has.' },
    { name: 'directory', type: 'string', value: 'PATH', meaning: 'A directory that the node makes.' },
    { name: 'description', type: 'string', value: 'TEXT', meaning: 'Shown by arena data list.' },
    { name: 'owner', type: 'string', value: 'TEXT', meaning: 'Shown by arena data list.' },
    ...changeFlags,
  ],
  async run(input, context) {
    const [{ addVolume }, { changeOrg }] = await Promise.all([
      import('../../tenancy/index.ts'),
      import('../organisation/change-run.ts'),
    ])
    const [name = ''] = input.arguments
    const [description, owner] = [input.text('description'), input.text('owner')]
    const volume = {
      name,
      size: input.text('size') ?? '',
      access: accessOf(input.texts('access')),
      source: sourceOf(input),
      ...(description !== undefined && { description }),
      ...(owner !== undefined && { owner }),
    }
    await changeOrg('volume add', input, context, ({ org }) => addVolume(org, volume))
  },
}

function accessOf(texts: readonly string[]): Record<string, 'read' | 'write'> {
  return Object.fromEntries(
    texts.map((text) => {
      const [group = '', access] = text.split('=')
      if (access === 'read' || access === 'write') return [group, access]
      throw new UserError('USAGE', `access "${text}" does not have the form GROUP=read or GROUP=write`, {
        hint: 'as in: --access dev1=write',
      })
    }),
  )
}

function sourceOf(input: Input): object {
  const split = (text: string, what: string, example: string): [string, string] => {
    const colon = text.indexOf(':')
    if (colon > 0) return [text.slice(0, colon), text.slice(colon + 1)]
    throw new UserError('USAGE', `source "${text}" does not have the form ${what}`, {
      hint: `as in: ${example}`,
    })
  }
  const [nfs, csi] = [input.text('nfs'), input.text('csi')]
  const [storageClass, hostPath, directory] = [
    input.text('storage-class'),
    input.text('host-path'),
    input.text('directory'),
  ]
  const [server, path] = nfs === undefined ? [] : split(nfs, 'SERVER:/PATH', '--nfs nas.example:/data')
  const [driver, volumeHandle] =
    csi === undefined ? [] : split(csi, 'DRIVER:HANDLE', '--csi csi.example.com:volume-1')
  // None or several: the check of the file says so.
  return {
    ...(nfs !== undefined && { nfs: { server, path } }),
    ...(csi !== undefined && { csi: { driver, volumeHandle } }),
    ...(storageClass !== undefined && { storageClass }),
    ...(hostPath !== undefined && { hostPath }),
    ...(directory !== undefined && { directory }),
  }
}
