import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { UserError } from '../errors.ts'
import type { KubeRequest, KubeResponse, Transport } from './client.ts'
import { Lanes } from './lanes.ts'
import { connectorInPlace } from './loopback-trust.ts'

/** Where a server is and how to be known to it. Certificates and keys are PEM texts. */
export interface ConnectionOptions {
  /** As in `https://127.0.0.1:6443`. */
  readonly server: string
  readonly certificateAuthority?: string
  readonly clientCertificate?: string
  readonly clientKey?: string
  readonly insecureSkipTlsVerify?: boolean
  /** Name to expect in the server's certificate instead of its address. */
  readonly tlsServerName?: string
  /** Called for every request, so that a token can be renewed in between. */
  readonly token?: (signal?: AbortSignal) => Promise<string | undefined>
  /** Told that the server refused the token, so that the next one is fresh. Says why, where the token tells. */
  readonly tokenRefused?: () => UserError | undefined
}

/** A {@link Transport} that can be closed. */
export interface HttpsTransport {
  readonly transport: Transport
  /** Ends idle connections, so that the process can end. */
  close(): void
}

/** For a connection to be made. */
const timeoutMs = 10_000

/** Opens a keep-alive transport over TLS (or plain HTTP for an `http:` server). Connects with the first request. */
export async function openHttpsTransport(connection: ConnectionOptions): Promise<HttpsTransport> {
  const base = parseServer(connection.server)
  const isTls = base.protocol === 'https:'
  // Only the module that is needed, and not by `import`, which reads every property of it and so loads what nobody
  // uses: every command would pay with its start-up time.
  const http = isTls ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
  const host = base.hostname.replace(/^\[|\]$/g, '')
  const port = base.port === '' ? (isTls ? 443 : 80) : Number(base.port)
  const agent: Agent = new http.Agent({
    keepAlive: true,
    ...(isTls && {
      ...(connection.certificateAuthority !== undefined && { ca: connection.certificateAuthority }),
      ...(connection.clientCertificate !== undefined && { cert: connection.clientCertificate }),
      ...(connection.clientKey !== undefined && { key: connection.clientKey }),
      ...(connection.tlsServerName !== undefined && { servername: connection.tlsServerName }),
      ...(connection.insecureSkipTlsVerify === true && { rejectUnauthorized: false }),
    }),
  })
  if (isTls && mayTrustInPlace(connection, host)) {
    trustInPlace(agent, connection, { host, port, timeoutMs })
  }
  const prefix = base.pathname === '/' ? '' : base.pathname.replace(/\/$/, '')

  const lanes = new Lanes({ patienceMs: 15, most: 64 })

  async function transport(request: KubeRequest): Promise<KubeResponse> {
    // Whoever watches or follows keeps a connection for long: nobody must wait for its end.
    const isLong = /[?&](watch|follow)=(true|1)/.test(request.path)
    const leave = isLong ? (): void => undefined : await lanes.enter()
    try {
      const response = await exchange(request)
      response.once('close', leave)
      return {
        status: response.statusCode ?? 0,
        headers: plainHeaders(response),
        body: bodyOf(response, request.signal),
        text: () => textOf(response, request.signal),
      }
    } catch (error) {
      leave()
      throw error
    }
  }

  async function exchange(request: KubeRequest): Promise<IncomingMessage> {
    request.signal?.throwIfAborted()
    const token = await connection.token?.(request.signal)
    const headers: Record<string, string | number> = { ...request.headers }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`
    if (request.body !== undefined) headers['content-length'] = Buffer.byteLength(request.body)
    const options: RequestOptions = {
      agent,
      protocol: base.protocol,
      host,
      port,
      method: request.method,
      path: prefix + request.path,
      headers,
      ...(request.signal && { signal: request.signal }),
    }
    const response =
      (await sendOnce(options, request, { mayRepeat: true })) ?? (await sendOnce(options, request))
    if (response === undefined) throw unreachable(connection.server, new Error('the connection was dropped'))
    const refusal = response.statusCode === 401 ? connection.tokenRefused?.() : undefined
    if (refusal !== undefined) {
      response.resume()
      throw refusal
    }
    return response
  }

  /** Nothing when an idle connection turned out to be closed, the request changes nothing and may be repeated. */
  function sendOnce(
    options: RequestOptions,
    request: KubeRequest,
    { mayRepeat = false } = {},
  ): Promise<IncomingMessage | undefined> {
    return new Promise((resolve, reject) => {
      const outgoing = startRequest(options, resolve)
      outgoing.on('socket', (socket) => {
        socket.setNoDelay(true)
        if (!socket.connecting) return
        const timer = setTimeout(() => {
          outgoing.destroy(Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' }))
        }, timeoutMs)
        timer.unref()
        socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(timer))
        socket.once('close', () => clearTimeout(timer))
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (request.signal?.aborted === true) reject(request.signal.reason)
        else if (mayRepeat && outgoing.reusedSocket && isDropped(error) && request.method === 'GET') {
          resolve(undefined)
        } else
          reject(isOfOpenSsl(error) ? unreadableCredentials(error) : unreachable(connection.server, error))
      })
      outgoing.end(request.body)
    })
  }

  /** @throws {UserError} `CONFIG_INVALID` when OpenSSL cannot read what the kubeconfig holds for the connection. */
  function startRequest(
    options: RequestOptions,
    onResponse: (response: IncomingMessage) => void,
  ): ClientRequest {
    try {
      return http.request(options, onResponse)
    } catch (error) {
      throw isOfOpenSsl(error) ? unreadableCredentials(error) : error
    }
  }

  async function* bodyOf(
    response: IncomingMessage,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of response) yield chunk
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw error instanceof Error ? unreachable(connection.server, error) : error
    }
  }

  /** The same in one piece: reading it chunk by chunk takes longer than all else that is done for a short answer. */
  function textOf(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => resolve(text))
      response.once('error', (error) => {
        reject(signal?.aborted === true ? signal.reason : unreachable(connection.server, error))
      })
    })
  }

  return { transport, close: () => agent.destroy() }
}

function mayTrustInPlace(connection: ConnectionOptions, host: string): boolean {
  return (
    (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) &&
    connection.certificateAuthority !== undefined &&
    connection.insecureSkipTlsVerify !== true &&
    connection.tlsServerName === undefined
  )
}

/** Makes an agent check servers of this machine in place, and by OpenSSL where that is not enough. */
function trustInPlace(
  agent: Agent,
  connection: ConnectionOptions,
  at: { readonly host: string; readonly port: number; readonly timeoutMs: number },
): void {
  const connectAsUsual = agent.createConnection.bind(agent)
  const connectInPlace = connectorInPlace(connection, at)
  agent.createConnection = (options, onCreated) => {
    void (async () => (await connectInPlace()) ?? connectAsUsual(options))().then(
      (socket) => {
        if (socket) onCreated?.(null, socket)
      },
      // The declared type wants a socket beside the error; Node looks at none then.
      (error: Error) => Reflect.apply(onCreated ?? (() => undefined), undefined, [error]),
    )
    return undefined
  }
}

function parseServer(server: string): URL {
  try {
    const url = new URL(server)
    if (url.protocol === 'https:' || url.protocol === 'http:') return url
  } catch (error) {
    throw invalidServer(server, error)
  }
  throw invalidServer(server)
}

function invalidServer(server: string, cause?: unknown): UserError {
  return new UserError('CONFIG_INVALID', `server address "${server}" is no http or https URL`, {
    hint: 'mend "server" of the cluster in the kubeconfig, as in https://HOST:6443',
    cause,
  })
}

function isOfOpenSsl(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')
}

function unreadableCredentials(cause: Error): UserError {
  // OpenSSL names neither the file nor the field, and never shows what it read.
  return new UserError(
    'CONFIG_INVALID',
    `a certificate or key in the kubeconfig is not usable: ${cause.message}`,
    {
      hint: 'check client-certificate, client-key and certificate-authority of the user and cluster, or fetch a fresh kubeconfig',
      cause,
    },
  )
}

function isDropped(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

function unreachable(server: string, cause: NodeJS.ErrnoException): UserError {
  const [what, hint] = explain(cause, server)
  return new UserError('CLUSTER_UNREACHABLE', `cannot reach the cluster at ${server}: ${what}`, {
    hint,
    cause,
  })
}

function explain(error: NodeJS.ErrnoException, server: string): [string, string] {
  switch (error.code) {
    case 'ECONNREFUSED':
      return [
        'nothing listens there',
        'start the cluster with: arena cluster start, or check "server" in the kubeconfig',
      ]
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['the host name does not resolve', 'check "server" in the kubeconfig and the network']
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ['no answer in time', 'check the network, a firewall, or the address in the kubeconfig']
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return [
        'its certificate is not signed by the authority in the kubeconfig',
        'the cluster was made anew or another one answers there: fetch a fresh kubeconfig',
      ]
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return [
        'its certificate is not valid at this time',
        "check this machine's clock, then renew the certificate of the server",
      ]
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return [
        'its certificate is for another host name',
        `use the name the certificate was made for instead of ${server}, or set "tls-server-name" in the kubeconfig`,
      ]
    case 'ECONNRESET':
    case 'EPIPE':
      return ['the connection was dropped', 'try again; if it persists, look at the log of the server']
    default:
      return [error.message, 'check "server" in the kubeconfig and that the cluster runs']
  }
}
