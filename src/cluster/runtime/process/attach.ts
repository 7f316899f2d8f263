import { constants, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ExitStatus, StreamIo, TerminalSize } from '../streams.ts'
import { copy } from './exec.ts'
import { endOf, followRecords } from './log-reader.ts'
import type { ProcessContainer } from './process-container.ts'

const newline = Buffer.from('\n')

/** Containers that somebody has attached to. */
const attended = new WeakSet<ProcessContainer>()

/**
 * Follows a container's output and feeds its stdin, until it ends or the client goes. Output is followed from now on; from its
 * beginning for the first who comes to a container that takes input: `kubectl run -i` attaches when its pod already runs, and
 * whoever started a program to talk to it wants to see its greeting, and all of a short program.
 */
export async function attachToContainer(container: ProcessContainer, io: StreamIo): Promise<ExitStatus> {
  const source = {
    path: container.spec.log.path,
    ended: container.exit === undefined ? container.exited : undefined,
  }
  // Before anything is fed in: the answer to it is to be seen.
  const isFirst = container.spec.stdin && !attended.has(container)
  attended.add(container)
  const from = isFirst ? undefined : await endOf(source.path)
  if (io.stdin !== undefined && container.spec.stdin) void feedStdin(container, io.stdin)
  if (io.resize !== undefined && container.spec.tty) void passSizes(container, io.resize)
  for await (const records of followRecords(source, from, io.signal)) {
    for (const record of records) {
      const target = record.stream === 'stdout' ? io.stdout : io.stderr
      target?.write(record.isPartial ? record.text : Buffer.concat([record.text, newline]))
    }
  }
  return { exitCode: container.exit?.exitCode ?? 0 }
}

async function feedStdin(container: ProcessContainer, stdin: Readable): Promise<void> {
  // Without O_NONBLOCK a container that does not read would hold a thread of this program.
  const flags = constants.O_WRONLY | constants.O_NONBLOCK
  let descriptor: number
  try {
    descriptor = openSync(join(container.directory, 'stdin'), flags)
  } catch {
    // Nobody reads it any more: the container is ending.
    return
  }
  const socket = new Socket({ fd: descriptor, readable: false, writable: true })
  socket.on('error', () => undefined)
  await copy(stdin, socket)
  container.signal('SIGUSR2')
}

async function passSizes(container: ProcessContainer, sizes: AsyncIterable<TerminalSize>): Promise<void> {
  for await (const { rows, columns } of sizes) {
    if (container.exit !== undefined) return
    await writeFile(join(container.directory, 'size'), `${rows} ${columns}`)
    container.signal('SIGWINCH')
  }
}
