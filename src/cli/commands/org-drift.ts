import type { Command } from '../command.ts'
import { allowDestroyFlag, fileFlag, waitFlag, yesFlag } from '../organisation/flags.ts'
import { outputFlag } from '../output.ts'

export const orgDrift: Command = {
  path: 'org drift',
  summary: 'Find what was changed by hand, tell who did it, and mend it.',
  description: `
Compares the cluster with the organisation file and names rights that somebody gave beside it. Who did it comes from the
objects themselves and, with --audit-log, from the API server's log. Exits with 0 when there is none, with 2 otherwise.
--repair mends what it may: what takes something away waits for --allow-destroy, objects of others are named and never
touched. --watch asks no questions and goes on until Ctrl-C or SIGTERM, then finishes the changes under way and ends with 0;
expired grants end there too, with --repair.

Examples:
  arena org drift
  arena org drift --repair --yes
  arena org drift --watch --repair --audit-log ~/.arena/cluster/audit.log
  arena org drift -o json`,
  group: 'organisation',
  flags: [
    fileFlag,
    { name: 'repair', type: 'boolean', meaning: 'Make the cluster as the file says.' },
    { name: 'watch', short: 'w', type: 'boolean', meaning: 'Go on, and look again at every change.' },
    { name: 'audit-log', type: 'string', value: 'FILE', meaning: "The API server's audit log." },
    yesFlag,
    allowDestroyFlag,
    waitFlag,
    outputFlag,
  ],
  async run(input, context) {
    const { lookOnce, lookOn } = await import('../organisation/drift-run.ts')
    return input.flag('watch') ? lookOn(input, context) : lookOnce(input, context)
  },
}
