import type { Flag } from '../command.ts'
import { outputFlag } from '../output.ts'
import { adoptFlag, allowDestroyFlag, fileFlag, waitFlag, yesFlag } from './flags.ts'

/** Flags of commands that change the organisation file and then the cluster. */
export const changeFlags: readonly Flag[] = [
  fileFlag,
  yesFlag,
  allowDestroyFlag,
  adoptFlag,
  { name: 'edit-only', type: 'boolean', meaning: 'Change the file, not the cluster.' },
  waitFlag,
  outputFlag,
]
