import type { Command } from '../command.ts'
import { allNamespacesFlags } from '../jobs/flags.ts'
import { formatData, formatTable, outputFlag, outputFormat } from '../output.ts'

export const dataList: Command = {
  path: 'data list',
  aliases: ['ls'],
  summary: 'List the volumes that jobs can mount.',
  group: 'data',
  flags: [...allNamespacesFlags, outputFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ listVolumes }, { shortDuration }, session] = await Promise.all([
      import('../../jobs/index.ts'),
      import('../../kube/index.ts'),
      context.connect(),
    ])
    const isEverywhere = input.flag('all-namespaces')
    const volumes = await listVolumes(session.client, {
      now: context.now(),
      signal: context.signal,
      ...(!isEverywhere && { namespace: session.namespace }),
    })
    if (format === 'json' || format === 'yaml') {
      const shown = volumes.map(({ ageMs, ...volume }) => ({
        ...volume,
        age: `${Math.trunc(ageMs / 1000)}s`,
      }))
      context.print(await formatData(shown, format))
      return
    }
    const bound = volumes.filter(({ isBound }) => isBound)
    if (format === 'name') {
      for (const { name } of bound) context.print(name)
      return
    }
    context.print(
      formatTable(
        ['NAME', ...(isEverywhere ? ['NAMESPACE'] : []), 'ACCESSMODE', 'DESCRIPTION', 'OWNER', 'AGE'],
        bound.map((volume) => [
          volume.name,
          ...(isEverywhere ? [volume.namespace] : []),
          volume.accessMode,
          volume.description,
          volume.owner,
          shortDuration(volume.ageMs),
        ]),
      ),
    )
    for (const { name, isBound } of volumes) {
      if (!isBound) context.note(`note: volume ${name} is not ready: nothing is bound to its claim yet`)
    }
  },
}
