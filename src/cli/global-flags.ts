import type { Flag } from './command.ts'

/** Flags that every command takes, before or after its name. */
export const globalFlags: readonly Flag[] = [
  {
    name: 'namespace',
    short: 'n',
    type: 'string',
    value: 'NAMESPACE',
    meaning: 'Group or namespace to work in.',
  },
  {
    name: 'config',
    type: 'string',
    value: 'FILE',
    meaning: 'Kubeconfig file; default $KUBECONFIG, then ~/.kube/config.',
  },
  { name: 'context', type: 'string', value: 'NAME', meaning: 'Context of the kubeconfig to use.' },
  { name: 'help', short: 'h', type: 'boolean', meaning: 'Show help.' },
  {
    name: 'loglevel',
    type: 'string',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    meaning: 'With debug, failures show their cause.',
  },
]

/** Flags of the original tool that mean nothing here; scripts that give them keep working. */
export const ignoredGlobalFlags: readonly Flag[] = [
  {
    name: 'arena-namespace',
    type: 'string',
    meaning: 'Ignored: there are no operators in a namespace of their own.',
  },
  { name: 'pprof', type: 'boolean', meaning: 'Ignored.' },
  { name: 'trace', type: 'boolean', meaning: 'Ignored.' },
  { name: 'helm-binary', type: 'boolean', meaning: 'Ignored: nothing is rendered by Helm.' },
]
