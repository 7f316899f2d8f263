import { resolve } from 'node:path'
import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'

export const clusterRestore: Command = {
  path: 'cluster restore',
  summary: 'Bring the embedded cluster back from a backup.',
  description: `
Objects, keys and certificates become what they were when the backup was made: kubeconfigs
and tokens of then are good again. The cluster must be stopped. Files of volumes stay as they
are.
  arena cluster stop
  arena cluster restore monday.arena
  arena cluster start --detach`,
  group: 'cluster',
  arguments: [{ name: 'FILE', meaning: 'A file that arena cluster backup wrote.' }],
  flags: [dataDirFlag, { name: 'yes', short: 'y', type: 'boolean', default: false, meaning: 'Do not ask.' }],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const [name = ''] = input.arguments
    const file = resolve(context.workingDirectory, name)
    const { holdsCluster, restoreCluster } = await import('../../cluster/index.ts')
    if (holdsCluster(dataDir) && !input.flag('yes')) {
      const { confirm } = await import('../confirm.ts')
      await confirm(`Replace all objects and keys of the cluster in ${dataDir}?`, context)
    }
    context.note(`reading ${file} ...`)
    const { objects, made } = await restoreCluster(dataDir, file)
    context.print(`restored ${objects} objects of ${made} to ${dataDir}`)
  },
}
