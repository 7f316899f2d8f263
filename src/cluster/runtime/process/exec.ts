import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ExitStatus, StreamIo, TerminalSize } from '../streams.ts'
import type { ProcessContainer } from './process-container.ts'
import { findInterpreter, shimArguments } from './shim.ts'

/** Runs a command in the namespaces and under the rights of a running container. */
export async function execInContainer(
  container: ProcessContainer,
  options: { readonly command: readonly string[]; readonly tty: boolean },
  io: StreamIo,
): Promise<ExitStatus> {
  const child = spawn(findInterpreter(), shimArguments('exec'), {
    cwd: container.directory,
    env: {},
    detached: true,
    stdio: [
      io.stdin === undefined ? 'ignore' : 'pipe',
      io.stdout === undefined ? 'ignore' : 'pipe',
      io.stderr === undefined || options.tty ? 'ignore' : 'pipe',
      'pipe',
      'pipe',
    ],
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve())
    child.once('error', reject)
  })
  const request = writableOf(child, 3)
  const { first, firstStart } = container.state
  request.write(`${JSON.stringify({ command: options.command, tty: options.tty, first, firstStart })}\n`)
  // Closing the request stream is how the helper learns that the client has gone; it then kills the command.
  const abandon = (): void => void request.end()
  if (io.signal.aborted) abandon()
  io.signal.addEventListener('abort', abandon, { once: true })
  const answer = collect(readableOf(child, 4))
  const done = new AbortController()
  const flows = [
    copy(child.stdout, io.stdout),
    copy(child.stderr, io.stderr),
    sendSizes(request, io.resize, done.signal),
  ]
  if (io.stdin !== undefined && child.stdin !== null) void copy(io.stdin, child.stdin)
  try {
    await ended
    done.abort()
    await Promise.all(flows)
    const text = await answer
    if (text === '') return { exitCode: 137, message: 'the command was cut off' }
    return JSON.parse(text) as ExitStatus
  } finally {
    io.signal.removeEventListener('abort', abandon)
    request.destroy()
  }
}

/** Writes each size for the shim to read, until the stream or the signal ends. */
async function sendSizes(
  request: Writable,
  sizes: AsyncIterable<TerminalSize> | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (sizes === undefined) return
  const iterator = sizes[Symbol.asyncIterator]()
  const stopped = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped])
    if (next === undefined || next.done === true) return
    request.write(`${next.value.rows} ${next.value.columns}\n`)
  }
}

/** Copies until either side ends. A client that closes its side early is no failure of ours. */
export async function copy(
  source: Readable | null | undefined,
  target: Writable | null | undefined,
): Promise<void> {
  if (!source || !target) return
  await pipeline(source, target).catch((error: unknown) => {
    if (!isBrokenStream(error)) throw error
  })
}

function isBrokenStream(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ABORT_ERR'].includes(
      String(error.code),
    )
  )
}

async function collect(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

function writableOf(child: ChildProcess, index: number): Writable {
  const stream = child.stdio[index]
  if (stream === null || stream === undefined || !('write' in stream)) throw new Error(`no pipe ${index}`)
  stream.on('error', () => undefined)
  return stream
}

function readableOf(child: ChildProcess, index: number): Readable {
  const stream = child.stdio[index]
  if (stream === null || stream === undefined || !('read' in stream)) throw new Error(`no pipe ${index}`)
  return stream
}
