import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CommandContext, Flag, Input } from '../command.ts'

/** `--data-dir`, as every command on the embedded cluster takes it. */
export const dataDirFlag: Flag = {
  name: 'data-dir',
  type: 'string',
  value: 'DIR',
  meaning: 'Directory that holds all of the cluster (default: $ARENA_DATA_DIR, else ~/.arena/cluster).',
}

/** The absolute path that the flag, the environment or the default names. */
export function dataDirectory(input: Input, context: CommandContext): string {
  const named = input.text('data-dir') ?? context.environment['ARENA_DATA_DIR']
  return named
    ? resolve(context.workingDirectory, named)
    : join(context.environment['HOME'] ?? homedir(), '.arena', 'cluster')
}
