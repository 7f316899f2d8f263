import type { Flag } from '../command.ts'
import { outputFlag } from '../output.ts'
import { fileFlag } from './flags.ts'

/** Flags of the commands about the client host. */
export const hostFlags: readonly Flag[] = [
  fileFlag,
  {
    name: 'root',
    type: 'string',
    value: 'DIR',
    meaning: 'Work on an image below DIR instead of this machine.',
  },
  {
    name: 'no-passwords',
    type: 'boolean',
    meaning: 'New accounts get no password; they log in with SSH keys.',
  },
  { name: 'no-kubeconfig', type: 'boolean', meaning: 'Install no kubeconfigs; needs no cluster.' },
  { name: 'no-program', type: 'boolean', meaning: 'Do not put arena on the PATH of everybody.' },
  outputFlag,
]
