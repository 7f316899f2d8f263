import type { Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'

/** A pod on a node of this agent. The uid guards against a pod of the same name that came later. */
export interface PodRef {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** The query of `GET .../pods/NAME/log`, parsed. */
export interface LogOptions {
  /** Required when the pod has more than one; the caller has checked that it exists. */
  readonly container: string
  /** Go on until the container ends. */
  readonly follow?: boolean
  /** The attempt before the present one. */
  readonly previous?: boolean
  /** Put an RFC 3339 time before each line. */
  readonly timestamps?: boolean
  readonly tailLines?: number
  /** Only lines written after this moment. */
  readonly since?: Date
  readonly limitBytes?: number
  readonly signal?: AbortSignal
}

/** Size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** The client's end of `exec` and `attach`. Streams that the client did not ask for are absent. */
export interface StreamIo {
  readonly stdin?: Readable
  readonly stdout?: Writable
  /** Absent with a terminal: both streams arrive as one. */
  readonly stderr?: Writable
  /** Sizes of the client's terminal as they change. */
  readonly resize?: AsyncIterable<TerminalSize>
  /** The client went away. */
  readonly signal: AbortSignal
}

/** How a command run in a container ended. */
export interface ExitStatus {
  readonly exitCode: number
  /** Why it could not run or was cut off, in words. */
  readonly message?: string
}

/**
 * What the API server asks of the node of a pod: `logs`, `exec`, `attach`, `port-forward` and `proxy`. Authorisation is the
 * caller's. All throw a `StatusError` for a pod or container that is not here (`NotFound`) or not in the right state
 * (`BadRequest`), before any byte moves.
 */
export interface PodStreams {
  /** The log as the container wrote it, both streams in the order of arrival. */
  logs(pod: PodRef, options: LogOptions): Promise<AsyncIterable<Uint8Array>>
  /** Runs a command in a running container; ends when it ends. Aborting kills it. */
  exec(
    pod: PodRef,
    options: { readonly container: string; readonly command: readonly string[]; readonly tty?: boolean },
    io: StreamIo,
  ): Promise<ExitStatus>
  /** Follows the output of the container's own process, and feeds its stdin when the container has one. */
  attach(
    pod: PodRef,
    options: { readonly container: string; readonly tty?: boolean },
    io: StreamIo,
  ): Promise<ExitStatus>
  /** A connection to a port that a process of this pod listens on; the caller ends it. Aborting destroys it. */
  connect(pod: PodRef, port: number, signal: AbortSignal): Promise<Socket>
  /** Carries bytes to and from a port that a process of this pod listens on; ends when either side does. */
  portForward(pod: PodRef, port: number, connection: Duplex, signal: AbortSignal): Promise<void>
}
