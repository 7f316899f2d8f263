import type { Command } from '../command.ts'
import { allNamespacesFlags } from '../jobs/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const quota: Command = {
  path: 'quota',
  summary: 'Show what your group may use, and uses.',
  group: 'jobs',
  flags: [...allNamespacesFlags, outputFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ listQuotas }, session] = await Promise.all([import('../../jobs/index.ts'), context.connect()])
    const isEverywhere = input.flag('all-namespaces')
    const lines = await listQuotas(session.client, {
      signal: context.signal,
      ...(!isEverywhere && { namespace: session.namespace }),
    })
    if (format === 'json' || format === 'yaml') {
      context.print(await formatData(lines, format))
      return
    }
    if (format === 'name') {
      for (const name of new Set(lines.map((line) => line.quota))) context.print(name)
      return
    }
    if (lines.length === 0) {
      context.note(
        isEverywhere ? 'no group has a quota' : `group ${session.namespace} has no quota: nothing is limited`,
      )
      return
    }
    context.print(
      formatTable(
        ['GROUP', 'QUOTA', 'RESOURCE', 'USED', 'LIMIT', 'SHARE'],
        lines.map((line) => [
          line.namespace,
          line.quota,
          line.resource,
          line.used,
          line.limit,
          `${Math.round(line.share * 100)}%`,
        ]),
      ),
    )
  },
}
