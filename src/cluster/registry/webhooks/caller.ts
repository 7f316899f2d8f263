import type { IncomingMessage } from 'node:http'
import { Agent, request as send, type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { Reader } from '../reader.ts'
import { inGoWords, misnamed, unsuccessful } from './go-words.ts'
import { type Address, resolveService } from './resolve.ts'

/** Where a webhook is, as a configuration gives it (`WebhookClientConfig`). */
export interface Place {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    readonly port?: number
  }
  /** Base64 of PEM. The machine's own roots when left out. */
  readonly caBundle?: string
}

/** Calls webhooks over TLS, on connections that stay open between calls. */
export interface WebhookCaller {
  /**
   * Sends a JSON text; the text of the answer.
   *
   * @throws {WebhookFailure} when there is none.
   */
  post(
    place: Place,
    body: string,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<string>
}

/** A webhook that could not be asked, in the API server's words. */
export class WebhookFailure extends Error {
  /** `setup`: what is known of the place is no use; `call`: nobody answered as they should. */
  readonly step: 'setup' | 'call'

  constructor(step: 'setup' | 'call', message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'WebhookFailure'
    this.step = step
  }
}

const longestAnswer = 8 * 1024 * 1024
/** Idle connections are closed after this, before servers usually do. */
const idleMs = 50_000

interface Destination {
  /** Host and port as the configuration has them. */
  readonly authority: string
  readonly path: string
  readonly serverName: string
  address(): Address
}

/** @param signal ends all connections. */
export function createWebhookCaller(reader: Reader, signal: AbortSignal): WebhookCaller {
  let agent: Agent | undefined
  // Made with the first call: most clusters have no webhooks.
  const connections = (): Agent => {
    if (agent) return agent
    const made = new Agent({ keepAlive: true, maxFreeSockets: 16, timeout: idleMs })
    signal.addEventListener('abort', () => made.destroy(), { once: true })
    agent = made
    return made
  }
  return {
    async post(place, body, limits) {
      const { authority, path, serverName, address } = destinationOf(place, reader)
      const trusted = rootsOf(place.caBundle)
      const target = `${path}?timeout=${Math.ceil(limits.timeoutMs / 1000)}s`
      const shown = `Post ${JSON.stringify(`https://${authority}${target}`)}: `
      let at: Address
      try {
        at = address()
      } catch (error) {
        throw new WebhookFailure('call', shown + inGoWords(error, { host: serverName, port: 0 }))
      }
      const exchange = exchanging({
        options: {
          agent: connections(),
          host: at.host,
          port: at.port,
          method: 'POST',
          path: target,
          ...(isIP(serverName) === 0 && { servername: serverName }),
          checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
            wrongName(serverName, certificate),
          ...(trusted !== undefined && { ca: trusted }),
          headers: {
            host: authority,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            accept: 'application/json, */*',
            'user-agent': 'kube-apiserver-admission',
          },
        },
        body,
        ...limits,
      })
      let answer: Answer
      try {
        answer = await exchange
      } catch (error) {
        const words = error instanceof Ended ? error.message : inGoWords(error, at)
        throw new WebhookFailure('call', shown + words, { cause: error })
      }
      const { status, text } = answer
      if (status < 200 || status > 206) throw new WebhookFailure('call', unsuccessful(status, text))
      if (text === '') {
        const type = answer.contentType
        throw new WebhookFailure(
          'call',
          `0-length response with status code: ${status} and content type: ${type}`,
        )
      }
      return text
    },
  }
}

/** @throws {WebhookFailure} for a place that is none. */
function destinationOf({ service, url: text }: Place, reader: Reader): Destination {
  if (service) {
    const { namespace, name, path = '', port = 443 } = service
    const serverName = `${name}.${namespace}.svc`
    return {
      authority: `${serverName}:${port}`,
      path: cleaned(path),
      serverName,
      address: () => resolveService(reader, { namespace, name, port }),
    }
  }
  if (!text || !URL.canParse(text))
    throw new WebhookFailure('setup', 'webhook configuration must have either service or URL')
  const { host, hostname, port, pathname } = new URL(text)
  const serverName = hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    authority: host,
    path: cleaned(pathname),
    serverName,
    address: () => ({ host: serverName, port: Number(port || 443) }),
  }
}

function cleaned(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, '')}`
}

/** @throws {WebhookFailure} for what is no certificate. */
function rootsOf(bundle: string | undefined): string | undefined {
  if (!bundle) return undefined
  const text = Buffer.from(bundle, 'base64').toString('latin1')
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new WebhookFailure('setup', 'unable to load root certificates: unable to parse bytes as PEM block')
  return text
}

function wrongName(name: string, certificate: PeerCertificate): Error | undefined {
  const isNamed = certificate.subjectaltname && !checkServerIdentity(name, certificate)
  return isNamed ? undefined : new Error(misnamed(name, certificate))
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

interface Exchange {
  readonly options: RequestOptions
  readonly body: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** The end of an exchange that did not come by itself. */
class Ended extends Error {}

const tooLate = 'context deadline exceeded'

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

async function exchanging(exchange: Exchange): Promise<Answer> {
  const { signal, timeoutMs } = exchange
  const end = new AbortController()
  // Who asked may have gone, or may have waited long enough.
  const stop = (): void => end.abort(new Ended(isTimeout(signal.reason) ? tooLate : 'context canceled'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const timer = setTimeout(() => end.abort(new Ended(tooLate)), timeoutMs)
  try {
    return await attempt(exchange, end.signal, 'first')
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function attempt(exchange: Exchange, signal: AbortSignal, which: 'first' | 'second'): Promise<Answer> {
  const request = send({ ...exchange.options, signal })
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve)
      request.on('error', reject)
      request.end(exchange.body)
    })
    return {
      status: answer.statusCode ?? 0,
      contentType: answer.headers['content-type'] ?? '',
      text: await textOf(answer),
    }
  } catch (error) {
    // A connection that was kept may have been closed by the other side just then: nothing has been asked.
    const isStale = request.reusedSocket && hasEnded(error) && !signal.aborted
    if (isStale && which === 'first') return attempt(exchange, signal, 'second')
    throw error
  }
}

function hasEnded(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of answer) {
    if (!Buffer.isBuffer(part)) continue
    length += part.length
    if (length > longestAnswer) {
      answer.destroy()
      throw new Ended(`the answer is longer than ${longestAnswer} bytes`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
