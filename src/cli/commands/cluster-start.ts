import type { Command } from '../command.ts'
import { dataDirectory, dataDirFlag } from '../cluster/data-directory.ts'

export const clusterStart: Command = {
  path: 'cluster start',
  summary: 'Start the embedded cluster on this machine.',
  description: `
Runs until Ctrl-C, or in the background with --detach, which returns when the cluster is
ready and prints the path of a kubeconfig with all rights. kubectl and every other Kubernetes
tool work with it:
  arena cluster start --detach
  export KUBECONFIG=~/.arena/cluster/admin.kubeconfig
  kubectl get nodes

A cluster file (--config) divides the machine into named nodes; see docs/cluster.md.`,
  group: 'cluster',
  flags: [
    {
      name: 'config',
      type: 'string',
      value: 'FILE',
      meaning: 'Cluster file: nodes and runtimes. Without it this machine is the only node.',
    },
    dataDirFlag,
    {
      name: 'port',
      type: 'integer',
      value: 'N',
      meaning: 'Port on 127.0.0.1 (default: the last one used, else any free one).',
    },
    {
      name: 'detach',
      type: 'boolean',
      default: false,
      meaning: 'Return when the cluster is ready; it goes on in the background.',
    },
  ],
  async run(input, context) {
    const dataDir = dataDirectory(input, context)
    const options = { dataDir, configFile: input.text('config'), port: input.integer('port') }
    if (input.flag('detach')) {
      const { startDetached } = await import('../cluster/detached.ts')
      context.print((await startDetached(options, context)).adminKubeconfig)
      return
    }
    const { runCluster } = await import('../cluster/foreground.ts')
    await runCluster(options, context)
  },
}
