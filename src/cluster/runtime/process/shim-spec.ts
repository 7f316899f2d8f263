/**
 * What the shim (`shim.py`) reads and writes. The Python side trusts these files: they are readable and writable by
 * the cluster's own user alone.
 */

/** How far a container can be kept apart on this machine: by root, by a user namespace, or not at all. */
export type Isolation = 'root' | 'user' | 'none'

/** One step of building a container's file system; targets are absolute paths of the container. */
export type RootStep =
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }
  | { readonly kind: 'directory'; readonly target: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly target: string; readonly content: string; readonly mode: number }
  | BindStep
  | {
      readonly kind: 'overlay'
      readonly target: string
      readonly lower: string
      readonly upper: string
      readonly work: string
    }
  | {
      readonly kind: 'tmpfs' | 'proc' | 'devpts'
      readonly target: string
      readonly options?: string
      readonly readOnly?: boolean
      readonly optional?: boolean
    }

export interface BindStep {
  readonly kind: 'bind'
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** Left out when the source is not there. */
  readonly optional?: boolean
  /** With what is mounted below. */
  readonly recursive?: boolean
  /** A device node that may be used as one. */
  readonly devices?: boolean
  readonly subPath?: string
  readonly createSubPath?: boolean
}

export interface ShimSpec {
  readonly isolation: Isolation
  readonly hostname: string
  readonly steps: readonly RootStep[]
  /** Kernel parameters of the namespaces that are the container's own. */
  readonly sysctls?: Readonly<Record<string, string>>
  readonly readOnlyRoot: boolean
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDirectory: string
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  /** Numbers of the capabilities that user 0 keeps; everybody else has none. */
  readonly capabilities: readonly number[]
  /** `cgroup.procs` files to join. */
  readonly cgroups: readonly string[]
  readonly oomScore: number
  readonly stdin: boolean
  readonly tty: boolean
  readonly stopSignal: number
  /** Not used by the shim; remembered for whoever adopts the container. */
  readonly gpus: readonly number[]
  readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number }
}

/** `state.json`, there once the container's command runs. Start times are those of `/proc/PID/stat`. */
export interface ShimState {
  readonly shim: number
  readonly shimStart: number
  readonly first: number
  readonly firstStart: number
  readonly boot: string
  readonly startedAt: string
}

/** `exit.json`, there once the whole process tree is gone. */
export interface ShimExit {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: 'StartError'
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
}

/** The line that the shim prints when the container has started or could not. */
export type ShimAnnouncement = { readonly started: ShimState } | { readonly failed: ShimExit }
