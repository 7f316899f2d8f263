import type { Command } from '../command.ts'
import { formatData, outputFlag, outputFormat } from '../output.ts'

export const whoami: Command = {
  path: 'whoami',
  summary: 'Show who you are to the cluster, and the group you work in.',
  description: 'Prints one line of JSON, as the original tool does. Name is the name that the server knows.',
  group: 'jobs',
  flags: [outputFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const [{ whoAmI }, session] = await Promise.all([import('../../jobs/index.ts'), context.connect()])
    const me = await whoAmI(session.client, context.signal)
    const shown = {
      Name: me.username,
      Id: me.id,
      IsAdminUser: me.isAdmin,
      Namespace: session.namespace,
      Server: session.server,
    }
    if (format === 'name') context.print(me.name)
    else if (format === 'wide') context.print(JSON.stringify(shown))
    else context.print(await formatData(shown, format))
  },
}
