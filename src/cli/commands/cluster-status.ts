import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'
import { formatData, formatFields, outputFlag, outputFormat } from '../output.ts'

export const clusterStatus: Command = {
  path: 'cluster status',
  summary: 'Show whether the embedded cluster runs, and where.',
  description: 'Exit status 0 when it runs and 3 when it does not.',
  group: 'cluster',
  flags: [dataDirFlag, outputFlag],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const format = outputFormat(input)
    const { findRunning } = await import('../../cluster/index.ts')
    const state = await findRunning(dataDir)
    const status = state
      ? {
          status: 'Running',
          dataDir,
          url: state.url,
          kubeconfig: state.adminKubeconfig,
          pid: state.pid,
          since: state.since,
        }
      : { status: 'Stopped', dataDir }
    if (format === 'json' || format === 'yaml') context.print(await formatData(status, format))
    else
      context.print(
        formatFields(
          Object.entries(status).map(([name, value]): [string, string] => [
            titles[name] ?? name,
            String(value),
          ]),
        ),
      )
    return state ? 0 : 3
  },
}

const titles: Readonly<Record<string, string>> = {
  status: 'Status',
  dataDir: 'Data',
  url: 'Server',
  kubeconfig: 'Kubeconfig',
  pid: 'Process',
  since: 'Since',
}
