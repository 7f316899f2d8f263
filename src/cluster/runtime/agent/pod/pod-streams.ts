import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { badRequest, notFound } from '../../../../kube/index.ts'
import type { Container } from '../../runtime.ts'
import type { ExitStatus, LogOptions, PodRef, PodStreams, StreamIo } from '../../streams.ts'
import type { PodAgent } from './pod-agent.ts'

/** Serves logs, exec, attach and port-forward of the pods that an agent has. */
export function podStreams(find: (podUid: string) => PodAgent | undefined): PodStreams {
  return {
    async logs(ref: PodRef, options: LogOptions): Promise<AsyncIterable<Uint8Array>> {
      const agent = agentOf(find, ref)
      const attempts = agent.runs.attempts(options.container)
      const attempt = options.previous === true ? attempts[1] : attempts[0]
      if (attempt === undefined) {
        if (options.previous === true) {
          throw badRequest(
            `previous terminated container "${options.container}" in pod "${ref.name}" not found`,
          )
        }
        throw badRequest(
          `container "${options.container}" in pod "${ref.name}" is waiting to start: ${agent.runs.waitingReason(options.container)}`,
        )
      }
      return agent.node.runtime.logs({ podUid: ref.uid, container: options.container, attempt }, options)
    },

    async exec(ref, { container, command, tty = false }, io): Promise<ExitStatus> {
      const agent = agentOf(find, ref)
      return agent.node.runtime.exec(running(agent, ref, container), { command, tty }, io)
    },

    async attach(ref, { container }, io: StreamIo): Promise<ExitStatus> {
      const agent = agentOf(find, ref)
      return agent.node.runtime.attach(running(agent, ref, container), io)
    },

    connect: async (ref, port, signal) => connectTo(agentOf(find, ref), ref, port, signal),

    async portForward(ref, port, connection: Duplex, signal): Promise<void> {
      const socket = await connectTo(agentOf(find, ref), ref, port, signal)
      connection.on('error', () => socket.destroy())
      connection.pipe(socket)
      socket.pipe(connection)
      // How a connection ends, even in the middle, is between the two programs at its ends.
      await finished(socket).catch(() => undefined)
    },
  }
}

async function connectTo(agent: PodAgent, ref: PodRef, port: number, signal: AbortSignal): Promise<Socket> {
  // The machine's network is everybody's: only what this pod itself offers may be reached through it.
  const listener = await agent.node.runtime.listenerOf(ref.uid, port)
  if (listener === undefined) {
    throw badRequest(`nothing in pod "${ref.name}" listens on port ${port}`)
  }
  // A program that listens for its own pod alone, on the loopback address, is reached as from within the pod.
  const host = /^[0:.]+$/.test(listener) ? (agent.address ?? '127.0.0.1') : listener
  const socket = connect({ host, port, signal })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

function agentOf(find: (podUid: string) => PodAgent | undefined, ref: PodRef): PodAgent {
  const agent = find(ref.uid)
  if (agent === undefined) throw notFound({ kind: 'pods', name: ref.name })
  return agent
}

function running(agent: PodAgent, ref: PodRef, name: string): Container {
  const container = agent.runs.latest(name)
  if (container === undefined || container.exit !== undefined) {
    throw badRequest(`container "${name}" in pod "${ref.name}" is not running`)
  }
  return container
}
