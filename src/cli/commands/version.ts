import type { Command } from '../command.ts'

export const version: Command = {
  path: 'version',
  summary: 'Print the version of this program.',
  group: 'other',
  flags: [
    { name: 'short', type: 'boolean', default: false, meaning: 'Print only the version line.' },
    {
      name: 'verbose',
      short: 'v',
      type: 'boolean',
      default: false,
      meaning: 'Accepted for old scripts; adds nothing.',
    },
  ],
  async run(input, context) {
    const { versionLines } = await import('../version.ts')
    for (const line of versionLines({ isShort: input.flag('short') })) context.print(line)
  },
}
