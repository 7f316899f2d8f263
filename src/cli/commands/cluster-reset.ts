import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'

export const clusterReset: Command = {
  path: 'cluster reset',
  summary: 'Stop the embedded cluster and its jobs, and delete everything in it.',
  group: 'cluster',
  flags: [dataDirFlag, { name: 'yes', short: 'y', type: 'boolean', default: false, meaning: 'Do not ask.' }],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const { lastAnnounced, removeData, stopRunning } = await import('../../cluster/index.ts')
    // Only what a cluster made is deleted: a mistyped path must not cost anyone a directory.
    if (!(await lastAnnounced(dataDir)))
      throw new UserError('NOT_FOUND', `"${dataDir}" holds no cluster`, {
        hint: 'name the directory with --data-dir DIR',
      })
    if (!input.flag('yes')) {
      const { confirm } = await import('../confirm.ts')
      await confirm(`Delete the cluster in ${dataDir} with all its objects, logs and volumes?`, context)
    }
    await stopRunning(dataDir, { timeoutMs: 30_000, signal: context.signal })
    await removeData(dataDir)
    context.print(`deleted the cluster in ${dataDir}`)
  },
}
