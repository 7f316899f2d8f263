import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Container as ContainerManifest } from '../../../../kube/index.ts'
import type { Container, Runtime } from '../../runtime.ts'

/** What a probe or a life cycle hook does (`exec`, `httpGet`, `tcpSocket`, `sleep`). */
export interface Handler {
  readonly exec?: { readonly command?: readonly string[] }
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly host?: string
    readonly scheme?: string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly sleep?: { readonly seconds: number }
  readonly grpc?: unknown
}

export interface HandlerTarget {
  readonly runtime: Runtime
  readonly container: Container
  readonly manifest: ContainerManifest
  readonly podAddress: string
}

export type HandlerResult = { readonly isGood: true } | { readonly isGood: false; readonly why: string }

// As much of an answer or an output as a message may carry.
const outputBytes = 1024
const good: HandlerResult = { isGood: true }

/** Carries a handler out. Never throws: what goes wrong is a bad result. */
export async function carryOut(
  handler: Handler,
  target: HandlerTarget,
  signal: AbortSignal,
): Promise<HandlerResult> {
  try {
    if (handler.exec !== undefined) return await runCommand(handler.exec.command ?? [], target, signal)
    if (handler.httpGet !== undefined) return await getOverHttp(handler.httpGet, target, signal)
    if (handler.tcpSocket !== undefined) return await openConnection(handler.tcpSocket, target, signal)
    if (handler.sleep !== undefined) {
      await sleep(handler.sleep.seconds * 1000, undefined, { signal })
      return good
    }
    return { isGood: false, why: 'handlers of this kind cannot be run here' }
  } catch (error) {
    if (signal.aborted) return { isGood: false, why: 'no answer in time' }
    return { isGood: false, why: error instanceof Error ? error.message : String(error) }
  }
}

async function runCommand(
  command: readonly string[],
  target: HandlerTarget,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const output: Buffer[] = []
  let size = 0
  const collect = (): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (size < outputBytes) output.push(chunk)
        size += chunk.length
        done()
      },
    })
  const status = await target.runtime.exec(
    target.container,
    { command, tty: false },
    { stdout: collect(), stderr: collect(), signal },
  )
  if (status.exitCode === 0) return good
  const text = Buffer.concat(output).subarray(0, outputBytes).toString('utf8')
  return { isGood: false, why: status.message ?? (text === '' ? `exit code ${status.exitCode}` : text) }
}

async function getOverHttp(
  get: NonNullable<Handler['httpGet']>,
  target: HandlerTarget,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const isSecure = get.scheme?.toUpperCase() === 'HTTPS'
  const path = get.path ?? '/'
  const options = {
    host: get.host ?? target.podAddress,
    port: portNumber(get.port, target.manifest),
    path: path.startsWith('/') ? path : `/${path}`,
    headers: {
      'User-Agent': 'kube-probe/1.36',
      Accept: '*/*',
      Connection: 'close',
      ...Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value])),
    },
    signal,
    agent: false as const,
    // Containers have certificates of their own making; a probe asks for life, not for identity.
    rejectUnauthorized: false,
  }
  const status = await new Promise<number>((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options, (answer) => {
      answer.destroy()
      resolve(answer.statusCode ?? 0)
    })
    request.on('error', reject)
    request.end()
  })
  if (status >= 200 && status < 400) return good
  return { isGood: false, why: `HTTP probe failed with statuscode: ${status}` }
}

async function openConnection(
  tcp: NonNullable<Handler['tcpSocket']>,
  target: HandlerTarget,
  signal: AbortSignal,
): Promise<HandlerResult> {
  const port = portNumber(tcp.port, target.manifest)
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: tcp.host ?? target.podAddress, port, signal })
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
  return good
}

function portNumber(port: number | string, manifest: ContainerManifest): number {
  if (typeof port === 'number') return port
  const named = manifest.ports?.find(({ name }) => name === port)
  if (named !== undefined) return named.containerPort
  const number = Number(port)
  if (!Number.isInteger(number)) throw new Error(`the container has no port named "${port}"`)
  return number
}
