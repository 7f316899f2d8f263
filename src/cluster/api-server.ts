import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { createKubeClient, type KubeClient, type KubeObject, serviceUnavailable } from '../kube/index.ts'
import { operatorCrds } from '../operator/index.ts'
import { apiServices } from './api-services.ts'
import { componentStatuses } from './component-statuses.ts'
import { createAccountConnections } from './account-connections.ts'
import {
  admissionSteps,
  conditionFaults,
  type ExpressionWarning,
  mutatingExpressionFaults,
  policyExpressionFaults,
  policyTypeWarnings,
} from './admission/index.ts'
import { type Auth, createAuth, type Pki, type TokenIssuers } from './auth/index.ts'
import { keepAuthenticationTrust } from './authentication-trust.ts'
import { bootstrap } from './bootstrap.ts'
import { keepFlowControl } from './flow-control.ts'
import { documents } from './documents.ts'
import {
  type Auditor,
  createHandler,
  createStreamServer,
  createUpgradeServer,
  localTransport,
  type ServerOptions,
  openApiDocuments,
} from './http/index.ts'
import { metricsResources } from './metrics.ts'
import { keepKubernetesService, type ServerAddress } from './kubernetes-service.ts'
import { keepServiceAddresses } from './service-addresses.ts'
import { podBindings, podSubresources } from './pod-subresources.ts'
import { namespaceFinalize } from './namespace-finalize.ts'
import {
  type Admitter,
  Catalog,
  createRegistry,
  readerOf,
  type ResourceDefinition,
  storedAs,
  type UserInfo,
  writerOf,
} from './registry/index.ts'
import { followDefinitions } from './registry/custom/index.ts'
import { builtinResources } from './registry/resources/table.ts'
import { createWebhookCaller } from './registry/webhooks/index.ts'
import type { PodStreams, UsageSource } from './runtime/index.ts'
import type { OrderedStore } from './storage/index.ts'

export interface ApiServerOptions {
  readonly store: OrderedStore<KubeObject>
  readonly pki: Pki
  /** `host:port`, known when the server listens. */
  readonly address: () => string
  /** Streams of the node agent, once it runs. */
  readonly streams: () => PodStreams | undefined
  /** What pods use, as the node agent measures it, once it runs. */
  readonly usage: () => UsageSource | undefined
  /** Ends what goes on in the background: custom kinds coming and going. */
  readonly signal: AbortSignal
  readonly auditor?: Auditor
  /** Others whose tokens are taken. */
  readonly issuers?: TokenIssuers
  log(line: string): void
}

/** The API server without a socket. */
export interface ApiServerCore {
  readonly auth: Auth
  /** What a TLS front needs to serve it. */
  readonly front: Pick<ServerOptions, 'handler' | 'authenticate' | 'began' | 'upgrade' | 'onFault'>
  /** `program` is who writes, in the words of `managedFields`; the user when left out. */
  clientAs(user: UserInfo, program?: string): KubeClient
  /** What cannot be right about an admission policy's expressions, given the kinds that are served now. */
  policyWarnings(policy: KubeObject): readonly ExpressionWarning[]
  /** Shows the clients in the cluster where the server listens. */
  announce(address: ServerAddress): Promise<void>
  /** Makes and keeps the objects that nobody waits for at start. */
  furnish(): void
}

/** Puts store, registry, authentication, authorisation, admission and HTTP together, and creates what every cluster has. */
export async function assembleApiServer(options: ApiServerOptions): Promise<ApiServerCore> {
  const { store, pki } = options
  const reader = readerOf(store)
  const writer = writerOf({ store })
  const auth = createAuth({
    reader,
    tokenKey: pki.tokenKey,
    ...(options.issuers && { issuers: options.issuers }),
  })
  const admitters: Admitter[] = []
  const parts = { store, admitters, now: Date.now, newUid: randomUUID }
  const registry = createRegistry(parts)
  const catalog: Catalog = new Catalog({
    builtin: [
      ...builtinResources({
        checkPolicy: policyExpressionFaults,
        checkMutatingPolicy: mutatingExpressionFaults,
        checkCondition: conditionFaults,
        addressSpace: {
          ranges: () => reader.list('networking.k8s.io/servicecidrs'),
          addresses: () => reader.list('networking.k8s.io/ipaddresses'),
        },
      }),
      componentStatuses,
      apiServices({ catalog: () => catalog, reader, startedAt: Date.now() }),
      ...metricsResources({ reader, usage: options.usage, now: Date.now }),
    ],
    virtual: [
      ...auth.virtualResources,
      podBindings({ registry, now: Date.now }, () => definitionOfPods(catalog)),
    ],
    subresources: [
      ...auth.subresources,
      namespaceFinalize(registry),
      ...podSubresources({ registry, reader, writer, now: Date.now }),
    ],
  })
  const webhooks = createWebhookCaller(reader, options.signal)
  const steps = admissionSteps({
    reader,
    writer,
    now: Date.now,
    authorize: (user, question) =>
      auth.authorizer.authorize(
        question.path === undefined
          ? { ...question, user, group: question.group ?? '', resource: question.resource ?? '' }
          : { user, verb: question.verb, path: question.path },
      ),
    findKind: (group, kind) => catalog.definitions().find((one) => one.group === group && one.kind === kind),
    servedVersions: (resource) => catalog.definitions().filter((one) => storedAs(one) === storedAs(resource)),
    webhooks,
  })
  // Quota charges what it lets through, so nobody may refuse after it.
  admitters.push(...steps.slice(0, -1), ...auth.admitters, ...steps.slice(-1))
  const onFault = (error: unknown): void => options.log(faultText(error))
  const connections = createAccountConnections({ store, signal: options.signal, onFault })
  const authenticate = (socket: TLSSocket, headers: IncomingHttpHeaders): UserInfo | Promise<UserInfo> =>
    auth.authenticator.authenticate(socket, headers.authorization)
  const streams = lateStreams(options.streams)
  const auditor = options.auditor && { auditor: options.auditor }
  const { authorizer, impersonator } = auth
  const handler = createHandler({
    catalog,
    registry,
    authorizer,
    impersonator,
    ...auditor,
    exists: (key) => store.latest(key) !== undefined,
    now: Date.now,
    documents: { ...documents(auth.tokens, options.address), ...openApiDocuments(catalog) },
    streams: createStreamServer({ catalog, registry, streams }),
    address: options.address,
    onFault,
  })
  followDefinitions({ store, writer, catalog, webhooks, signal: options.signal, now: Date.now, onFault })
  await bootstrap(catalog, registry)
  // The operator and users' first requests rely on the kinds of jobs.
  for (const { spec } of operatorCrds())
    await catalog.whenServed(spec.group, spec.versions[0]?.name ?? '', spec.names.plural)
  return {
    auth,
    front: {
      handler,
      authenticate,
      began: connections.begin,
      upgrade: createUpgradeServer({
        ...auditor,
        catalog,
        registry,
        streams,
        authorizer,
        impersonator,
        authenticate,
        began: connections.begin,
        onFault,
      }),
      onFault,
    },
    clientAs: (user, program) =>
      createKubeClient(localTransport(handler, user), { ...(program && { userAgent: program }) }),
    policyWarnings: (policy) => policyTypeWarnings(policy, catalog.definitions()),
    announce: (address) =>
      keepKubernetesService({ catalog, registry, address, signal: options.signal, onFault }),
    furnish: () => {
      const shared = { catalog, registry, store, signal: options.signal, now: Date.now, onFault }
      keepAuthenticationTrust(shared, pki.authority)
      keepServiceAddresses(shared)
      keepFlowControl(shared)
    },
  }
}

function definitionOfPods(catalog: Catalog): ResourceDefinition {
  const pods = catalog.storedDefinition('/pods')
  if (!pods) throw new Error('no pods are served')
  return pods
}

/** Streams of an agent that starts after the server does. */
function lateStreams(find: () => PodStreams | undefined): PodStreams {
  const current = (): PodStreams => {
    const streams = find()
    if (!streams) throw serviceUnavailable('the nodes are starting')
    return streams
  }
  return {
    logs: async (pod, options) => current().logs(pod, options),
    exec: async (pod, options, io) => current().exec(pod, options, io),
    attach: async (pod, options, io) => current().attach(pod, options, io),
    connect: async (pod, port, signal) => current().connect(pod, port, signal),
    portForward: async (pod, port, connection, signal) =>
      current().portForward(pod, port, connection, signal),
  }
}

function faultText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
