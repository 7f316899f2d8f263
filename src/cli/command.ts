import type { Readable, Writable } from 'node:stream'
import type { FlagValues } from '../jobs/index.ts'
import type { KubeClient } from '../kube/index.ts'

/** One flag of a command. Flags of the original tool keep its names, short forms and defaults. */
export interface Flag {
  /** Without dashes, as in `worker-cpu`. */
  readonly name: string
  /** One letter without dash. */
  readonly short?: string
  readonly type: 'string' | 'strings' | 'boolean' | 'integer'
  readonly default?: string | number | boolean | readonly string[]
  readonly required?: boolean
  readonly choices?: readonly string[]
  /** One line of help. */
  readonly meaning: string
  /** Placeholder in help, as in `FILE`. */
  readonly value?: string
  /** Works, but is not shown; the name of the flag to use instead. */
  readonly deprecatedFor?: string
}

export interface Argument {
  /** As in `NAME`; required unless `optional`. */
  readonly name: string
  readonly meaning: string
  readonly optional?: boolean
  /** Takes all the rest. */
  readonly variadic?: boolean
}

/** What the user typed, parsed. Flags by their name in full; absent when not given and without default. */
export type Input = FlagValues

/** A connection as the current user, with the namespace that the command line, config file or kubeconfig chose. */
export interface Session {
  readonly client: KubeClient
  readonly namespace: string
  /** Context name and server of the kubeconfig, for messages. */
  readonly contextName: string
  readonly server: string
  /** The lines of the arena config file, as in `imagePullSecrets`. */
  readonly settings: Readonly<Record<string, string>>
}

/** What the program may touch of the outside world. */
export interface World {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  now(): Date
}

/** The outside world, handed to every command. */
export interface CommandContext extends World {
  /** Opens the session on first use. */
  connect(): Promise<Session>
  print(line: string): void
  /** Notes and progress: standard error. */
  note(line: string): void
}

/** One command: one file under `commands/`, listed in `commands/table.ts`. Heavy modules are imported inside `run`. */
export interface Command {
  /** Words after `arena`, as in `submit tf`. */
  readonly path: string
  /** Other last words, as in `tfjob`. */
  readonly aliases?: readonly string[]
  readonly summary: string
  /** Longer help and examples, plain text. */
  readonly description?: string
  /** Heading in `arena --help`. */
  readonly group: 'jobs' | 'data' | 'organisation' | 'cluster' | 'other'
  readonly arguments?: readonly Argument[]
  readonly flags?: readonly Flag[]
  /** Returns the exit status; 0 when nothing is returned. */
  run(input: Input, context: CommandContext): Promise<number | void>
}
