import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import { badRequest, StatusError } from '../../../kube/index.ts'
import {
  assertAuthorized,
  asksForImpersonation,
  type Authorizer,
  type Impersonator,
} from '../../auth/index.ts'
import type { Catalog, Registry, UserInfo } from '../../registry/index.ts'
import type { ExitStatus, PodStreams, StreamIo } from '../../runtime/index.ts'
import type { Auditor, AuditRecord } from '../audit/auditor.ts'
import { failure } from '../handler.ts'
import type { ApiRequest } from '../message.ts'
import { isTrue, parseTarget, type ResourceTarget, type Target } from '../target.ts'
import { channelProtocols, openChannels } from './channels.ts'
import { admitConnect, optionsKind } from './connect.ts'
import { checkPlaced, chooseContainer, podRequest, readPod, type StreamPod } from './pod.ts'
import { forwardProtocol, servePortForward } from './port-forward.ts'
import { type Destination, findDestination, forwardUpgrade, isProxied } from './proxy/index.ts'

export interface UpgradeParts {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly authorizer: Authorizer
  readonly impersonator: Impersonator
  readonly streams: PodStreams
  readonly auditor?: Auditor
  authenticate(socket: TLSSocket, headers: IncomingMessage['headers']): UserInfo | Promise<UserInfo>
  /** Told when a stream of a user begins; what it returns is called when it has ended. */
  began?(socket: TLSSocket, user: UserInfo): () => void
  onFault(error: unknown): void
}

type AttachArguments = readonly [options: { readonly container: string; readonly tty: boolean }, io: StreamIo]

/** What an accepted upgrade goes on with. */
interface Accepted {
  readonly pod: StreamPod
  readonly at: ResourceTarget
  readonly query: URLSearchParams
}

/** An upgrade that is for a program in a pod to agree to. */
interface Proxied {
  readonly to: Destination
  readonly target: Target
  readonly user: UserInfo
}

/** Serves `exec`, `attach` and `portforward` of pods over WebSocket, and upgrades that are for a pod to agree to. */
export function createUpgradeServer(
  parts: UpgradeParts,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    socket.on('error', () => undefined)
    void handle(parts, request, socket, head)
  }
}

async function handle(
  parts: UpgradeParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  let accepted: Accepted
  try {
    const found = await accept(parts, request, socket)
    if ('to' in found) {
      const gone = new AbortController()
      socket.once('close', () => gone.abort())
      const api = { ...apiRequest(request, found.user), signal: gone.signal }
      await forwardUpgrade(parts.streams, found.to, api, found.target, { socket, head })
      return
    }
    accepted = found
  } catch (error) {
    if (!(error instanceof StatusError)) parts.onFault(error)
    refuse(socket, error)
    return
  }
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
    handleProtocols: (offered) => channelProtocols.find((one) => offered.has(one)) ?? false,
  })
  if (offersForwarding(request)) {
    // The name holds a slash, which no subprotocol's may: the library would refuse it. It is agreed on beside it.
    delete request.headers['sec-websocket-protocol']
    server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${forwardProtocol}`))
  }
  server.handleUpgrade(request, socket, head, (client: WebSocket) => {
    const served =
      accepted.at.subresource === 'portforward'
        ? servePortForward(parts.streams, accepted.pod, client)
        : runCommand(parts, accepted, client)
    served.catch((error: unknown) => {
      parts.onFault(error)
      client.terminate()
    })
  })
}

/**
 * Everything that can be wrong is found before the protocols are switched: the client still gets a plain answer.
 *
 * @throws {StatusError}
 */
async function accept(
  parts: UpgradeParts,
  request: IncomingMessage,
  socket: Duplex,
): Promise<Accepted | Proxied> {
  // The server is a TLS server: its sockets are.
  const asked = await parts.authenticate(socket as TLSSocket, request.headers)
  const ended = parts.began?.(socket as TLSSocket, asked)
  if (ended) socket.once('close', ended)
  const target = parseTarget('GET', request.url ?? '/')
  const record = parts.auditor?.begin(apiRequest(request, asked), 'get', target)
  try {
    const accepted = await acceptAs(parts, request, asked, target, record)
    record?.answered({ status: 101, headers: {}, body: '' })
    return accepted
  } catch (error) {
    record?.answered(failure(error, () => undefined))
    throw error
  }
}

/** The request as the log sees it. */
function apiRequest(request: IncomingMessage, user: UserInfo): ApiRequest {
  const { method = 'GET', url = '/', headers } = request
  const { remoteAddress } = request.socket
  return {
    method,
    url,
    headers,
    user,
    ...(remoteAddress && { clientAddress: remoteAddress }),
    readBody: () => Promise.resolve(''),
    signal: new AbortController().signal,
  }
}

async function acceptAs(
  parts: UpgradeParts,
  request: IncomingMessage,
  asked: UserInfo,
  target: Target,
  record: AuditRecord | undefined,
): Promise<Accepted | Proxied> {
  const { resource: at, query } = target
  const isForPod = at !== undefined && isProxied(at)
  const kind = at && optionsKind(at)
  const served = at && parts.catalog.find(at.group, at.version, at.plural)?.stored
  if (!at || !served || (!kind && !isForPod))
    throw badRequest('only exec, attach, portforward and proxy are streams')
  const attributes = {
    user: asked,
    verb: 'get',
    group: at.group,
    resource: at.plural,
    subresource: at.subresource,
    namespace: at.namespace,
    name: at.name,
  }
  const user = asksForImpersonation(request.headers)
    ? parts.impersonator.impersonate(attributes, request.headersDistinct)
    : asked
  if (user !== asked) record?.impersonated(user)
  if (kind === undefined) {
    // The right is that of the method, as for any request to the pod.
    const verb = parseTarget(request.method ?? 'GET', request.url ?? '/').resource?.verb ?? ''
    assertAuthorized(parts.authorizer, { ...attributes, user, verb })
    const signal = new AbortController().signal
    return { to: await findDestination(parts, { at, user, signal }), target, user }
  }
  if (request.method === 'GET') assertAuthorized(parts.authorizer, { ...attributes, user })
  // A WebSocket begins as a GET; what it does is as much as a POST, and needs that right too (https://kep.k8s.io/4006).
  assertAuthorized(parts.authorizer, { ...attributes, user, verb: 'create' })
  const podAt = podRequest(served, {
    user,
    subresource: at.subresource ?? '',
    ...(at.namespace && { namespace: at.namespace }),
    ...(at.name && { name: at.name }),
    signal: new AbortController().signal,
  })
  await admitConnect(parts.registry, podAt, kind, query)
  const pod = readPod(parts.registry, podAt)
  // Only now: who may not do it is told so, whatever their client speaks.
  checkProtocol(request)
  checkPlaced(pod)
  return { pod, at, query }
}

function offersForwarding(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  return offered.split(',').some((one) => one.trim() === forwardProtocol)
}

function checkProtocol(request: IncomingMessage): void {
  if ((request.headers.upgrade ?? '').toLowerCase() === 'websocket') return
  throw badRequest(
    `the protocol "${request.headers.upgrade ?? ''}" is not spoken here, only WebSocket: use kubectl 1.29 or newer for exec, attach, cp and port-forward`,
  )
}

async function runCommand(parts: UpgradeParts, accepted: Accepted, client: WebSocket): Promise<void> {
  const { pod, at, query } = accepted
  const channels = openChannels(client)
  const tty = isTrue(query.get('tty'))
  const io = {
    ...(isTrue(query.get('stdin')) && { stdin: channels.stdin }),
    ...(isTrue(query.get('stdout')) && { stdout: channels.stdout }),
    ...(isTrue(query.get('stderr')) && !tty && { stderr: channels.stderr }),
    resize: channels.resize,
    signal: channels.signal,
  }
  try {
    const container = chooseContainer(pod, query.get('container') ?? undefined)
    const exit =
      at.subresource === 'exec'
        ? await parts.streams.exec(pod.ref, { container, command: query.getAll('command'), tty }, io)
        : await attach(parts, pod, { container, tty }, io)
    await channels.end(exit)
  } catch (error) {
    if (!(error instanceof StatusError)) parts.onFault(error)
    await channels.end({
      exitCode: 1,
      message: error instanceof StatusError ? error.message : 'the command could not be run',
    })
  }
}

/** To have followed a program to its end is a success, however the program ended: that stands in the pod's status. */
async function attach(parts: UpgradeParts, pod: StreamPod, ...to: AttachArguments): Promise<ExitStatus> {
  await parts.streams.attach(pod.ref, ...to)
  return { exitCode: 0 }
}

/** Answers an upgrade with a plain HTTP failure. */
function refuse(socket: Duplex, error: unknown): void {
  const status =
    error instanceof StatusError
      ? error.status
      : {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          reason: 'InternalError',
          message: 'Internal error occurred',
          code: 500,
        }
  const body = JSON.stringify(status)
  socket.end(
    `HTTP/1.1 ${status.code} ${STATUS_CODES[status.code] ?? ''}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
