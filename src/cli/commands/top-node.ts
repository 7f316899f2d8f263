import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { formatData, formatFields, formatTable, outputFlag, outputFormat } from '../output.ts'

export const topNode: Command = {
  path: 'top node',
  summary: 'Show GPUs, CPU and memory of the nodes and what of them is given out.',
  group: 'jobs',
  arguments: [{ name: 'NODE', meaning: 'only these nodes', optional: true, variadic: true }],
  flags: [
    { name: 'details', short: 'd', type: 'boolean', default: false, meaning: 'A block for each node.' },
    {
      name: 'gpu-mode',
      short: 'm',
      type: 'string',
      value: 'MODE',
      choices: ['none', 'n', 'exclusive', 'e', 'topology', 't', 'share', 's', ''],
      meaning: 'Only nodes without GPUs (none), or with whole GPUs (exclusive).',
    },
    {
      name: 'metric',
      type: 'boolean',
      default: false,
      meaning: 'Accepted for old scripts; there are no metrics.',
    },
    outputFlag,
  ],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ listNodes }, session] = await Promise.all([import('../../jobs/index.ts'), context.connect()])
    const names = input.arguments
    const all = await listNodes(session.client, { names, signal: context.signal })
    for (const name of names) {
      if (!all.some((node) => node.name === name)) {
        throw new UserError('NOT_FOUND', `there is no node "${name}"`, { hint: 'see: arena top node' })
      }
    }
    const mode = input.text('gpu-mode') ?? ''
    const nodes = all.filter(({ gpuTotal }) => mode === '' || isOfMode(mode, gpuTotal))
    if (format === 'json' || format === 'yaml') {
      context.print(
        await formatData(
          {
            gpuExclusiveNodes: nodes.filter(({ gpuTotal }) => gpuTotal > 0),
            gpuShareNodes: [],
            gpuTopologyNodes: [],
            normalNodes: nodes.filter(({ gpuTotal }) => gpuTotal === 0),
          },
          format,
        ),
      )
      return
    }
    if (format === 'name') {
      for (const { name } of nodes) context.print(name)
      return
    }
    if (input.flag('details')) {
      for (const node of nodes) {
        context.print(
          formatFields([
            ['Name', node.name],
            ['Status', node.status],
            ['Role', node.role],
            ['Type', node.gpuTotal > 0 ? 'GPUExclusive' : 'Normal'],
            ['Address', node.address],
            ['GPUs', `${node.gpuAllocated ?? '?'}/${node.gpuTotal} allocated`],
            ['CPU', `${node.cpuAllocated ?? '?'}/${node.cpu} allocated`],
            ['Memory', `${node.memoryAllocated ?? '?'}/${node.memory} allocated`],
          ]),
        )
        for (const pod of node.pods) context.print(`  ${pod.namespace}/${pod.name}: ${pod.gpus} GPU(s)`)
        context.print('')
      }
      return
    }
    const anyUnhealthy = nodes.some(({ gpuUnhealthy }) => gpuUnhealthy > 0)
    // Those without GPUs first, as the original tool has it.
    const sorted = [...nodes].sort((a, b) => Number(a.gpuTotal > 0) - Number(b.gpuTotal > 0))
    context.print(
      formatTable(
        [
          'NAME',
          'IPADDRESS',
          'ROLE',
          'STATUS',
          'GPU(Total)',
          'GPU(Allocated)',
          ...(anyUnhealthy ? ['UNHEALTHY'] : []),
          'CPU',
          'MEMORY',
        ],
        sorted.map((node) => [
          node.name,
          node.address,
          node.role,
          node.status,
          String(node.gpuTotal),
          node.gpuAllocated === undefined ? 'N/A' : String(node.gpuAllocated),
          ...(anyUnhealthy ? [String(node.gpuUnhealthy)] : []),
          node.cpu,
          node.memory,
        ]),
      ),
    )
    if (names.length > 0) return
    const total = nodes.reduce((sum, node) => sum + node.gpuTotal, 0)
    const isKnown = nodes.every(({ gpuAllocated }) => gpuAllocated !== undefined)
    const allocated = nodes.reduce((sum, node) => sum + (node.gpuAllocated ?? 0), 0)
    context.print('-'.repeat(80))
    context.print('Allocated/Total GPUs In Cluster:')
    context.print(
      isKnown
        ? `${allocated}/${total} (${total === 0 ? '0.0' : ((allocated / total) * 100).toFixed(1)}%)`
        : `?/${total} (only admins see what other groups use)`,
    )
  },
}

function isOfMode(mode: string, gpuTotal: number): boolean {
  if (mode === 'n' || mode === 'none') return gpuTotal === 0
  return (mode === 'e' || mode === 'exclusive') && gpuTotal > 0
}
