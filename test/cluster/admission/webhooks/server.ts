import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPki } from '../../../../src/cluster/auth/index.ts'

/** `request` of a review, as far as tests look at it. */
export interface Asked {
  readonly uid: string
  readonly [field: string]: unknown
}

export interface Certificates {
  readonly key: string
  readonly certificate: string
  /** Base64 of the authority, as configurations want it. */
  readonly caBundle: string
}

/** Certificates of an authority of the test's own, good for these names and for 127.0.0.1. */
export async function certificatesFor(...names: string[]): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'arena-hook-'))
  try {
    const { serving, authority } = await openPki(directory, { extraNames: names })
    return { ...serving, caBundle: Buffer.from(authority).toString('base64') }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The parts of an answer that a test wants to be otherwise; `undefined`: no answer at all. */
export type Answering = (asked: Asked, path: string) => object | undefined

export interface WebhookServer {
  readonly url: string
  readonly port: number
  /** Every review that came, in the order in which they came. */
  readonly reviews: { readonly kind: string; readonly apiVersion: string; readonly request: Asked }[]
  /** The same as they came. */
  readonly texts: string[]
  /** Paths with their query, of the same. */
  readonly paths: string[]
  /** Connections that were opened. */
  connections: number
  answer: Answering
  /** Answers with whatever it likes; before {@link answer}. */
  raw: ((response: ServerResponse) => void) | undefined
  /** Closes the connections that are open. */
  drop(): void
  close(): Promise<void>
}

/** A program that answers reviews over TLS. */
export async function startWebhook(
  certificates: Certificates,
  answer: Answering = () => ({ allowed: true }),
  host = '127.0.0.1',
): Promise<WebhookServer> {
  const server = createServer({ key: certificates.key, cert: certificates.certificate })
  const hook: WebhookServer = {
    url: '',
    port: 0,
    reviews: [],
    texts: [],
    paths: [],
    connections: 0,
    answer,
    raw: undefined,
    drop: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  server.on('secureConnection', () => hook.connections++)
  server.on('request', (request, response) => void respond(hook, request, response))
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(hook, { port, url: `https://${host}:${port}` })
}

async function respond(
  hook: WebhookServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = ''
  for await (const part of request) text += String(part)
  const review = JSON.parse(text) as WebhookServer['reviews'][number]
  hook.reviews.push(review)
  hook.texts.push(text)
  hook.paths.push(request.url ?? '')
  if (hook.raw) return hook.raw(response)
  const given = hook.answer(review.request, request.url ?? '')
  if (given === undefined) return
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      kind: review.kind,
      apiVersion: review.apiVersion,
      response: { uid: review.request.uid, ...given },
    }),
  )
}

export const group = '/apis/admissionregistration.k8s.io/v1'

/** A JSON patch in the form of an answer. */
export function patchAnswer(operations: readonly object[]): object {
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  }
}

/** One webhook of a configuration. */
export function webhook(name: string, clientConfig: object, more: object = {}): object {
  return {
    name,
    clientConfig,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
    ...more,
  }
}

export function configuration(
  kind: 'Validating' | 'Mutating',
  name: string,
  ...webhooks: object[]
): { apiVersion: string; kind: string; metadata: object; webhooks: object[] } {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks,
  }
}
