import { resolve } from 'node:path'
import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'

export const clusterBackup: Command = {
  path: 'cluster backup',
  summary: 'Write all objects and keys of the embedded cluster to a file.',
  description: `
The cluster may run meanwhile: the file holds everything as it was at one moment. It holds
keys and secrets too, so only its owner may read it. Files of volumes and logs of jobs are
not in it.
  arena cluster backup monday.arena`,
  group: 'cluster',
  arguments: [{ name: 'FILE', meaning: 'The file to write.' }],
  flags: [dataDirFlag],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const [name = ''] = input.arguments
    const file = resolve(context.workingDirectory, name)
    const { backupCluster } = await import('../../cluster/index.ts')
    context.note(`copying the cluster in ${dataDir} ...`)
    const { objects, revision } = await backupCluster(dataDir, file)
    context.print(`wrote ${objects} objects, as of version ${revision}, to ${file}`)
  },
}
