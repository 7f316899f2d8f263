/** Words of which one is in every command line of an everyday command. Kept apart: it is read before all else. */
export const everydayWords: ReadonlySet<string> = new Set([
  'submit',
  'list',
  'ls',
  'get',
  'logs',
  'log',
  'delete',
  'del',
  'top',
  'quota',
  'whoami',
  'data',
  'credential',
])
