import type { KubeClient, KubeObject } from '../kube/index.ts'
import { startOperator } from '../operator/index.ts'
import type { ExpressionWarning } from './admission/index.ts'
import { type AccountTokens, accountGroups, accountUserName, type Pki } from './auth/index.ts'
import type { ClusterConfig } from './config.ts'
import { startControllers } from './controllers/index.ts'
import { nodesOf } from './nodes.ts'
import type { UserInfo } from './registry/index.ts'
import { type NodeAgent, startNodeAgent } from './runtime/index.ts'
import { startScheduler } from './scheduler/index.ts'

export interface EngineOptions {
  clientAs(user: UserInfo, program?: string): KubeClient
  readonly pki: Pki
  readonly tokens: AccountTokens
  /** What cannot be right about an admission policy's expressions. */
  policyWarnings(policy: KubeObject): readonly ExpressionWarning[]
  readonly dataDir: string
  readonly config: ClusterConfig
  readonly apiServer: { readonly host: string; readonly port: number }
  readonly signal: AbortSignal
  log(line: string): void
}

/** Everything that acts on the API by itself. */
export interface Engine {
  /** What can be asked of the pods on this cluster's nodes; absent until the nodes run. */
  readonly nodes: Pick<NodeAgent, 'streams' | 'usage'> | undefined
  /** Settles when the nodes are registered. */
  readonly ready: Promise<void>
  /** Settles when all of it has stopped, after the signal. */
  readonly stopped: Promise<void>
}

/** Starts the parts of the cluster that are API clients: controllers, scheduler, nodes and the training operator. */
export function startEngine(options: EngineOptions): Engine {
  const { clientAs, signal } = options
  const report = (part: string) => (error: unknown) => {
    if (!signal.aborted) options.log(`${part}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const controllers = startControllers({
    clientFor: (name) => clientAs(componentUser(name), 'kube-controller-manager'),
    signal,
    settings: {
      rootCertificate: options.pki.authority,
      signRequest: (request) => options.pki.signRequest(request),
      policyWarnings: options.policyWarnings,
      mintToken: (account, secretName) => options.tokens.mintLegacy(account, secretName),
    },
    onError: (error, name) => report(name)(error),
    onFatal: (error, name) => report(`${name} ended`)(error),
  })
  const scheduler = startScheduler({
    client: clientAs(componentUser('kube-scheduler'), 'kube-scheduler'),
    signal,
    informers: controllers.informers,
    onError: report('scheduler'),
  })
  const operator = startOperator({
    client: clientAs(componentUser('arena-operator'), 'arena-operator'),
    signal,
    onError: report('operator'),
  })
  const nodes = startNodes(options, report('node agent'))
  return {
    get nodes() {
      return nodes.agent()
    },
    ready: nodes.ready,
    stopped: Promise.all([controllers.stopped, scheduler, operator.stopped, nodes.stopped]).then(
      () => undefined,
    ),
  }
}

function startNodes(
  options: EngineOptions,
  onError: (error: unknown) => void,
): { agent: () => NodeAgent | undefined; ready: Promise<void>; stopped: Promise<void> } {
  const { config, dataDir, signal, apiServer } = options
  let agent: NodeAgent | undefined
  const started = nodesOf(config, dataDir).then((nodes) => {
    agent = startNodeAgent({
      client: options.clientAs(componentUser('arena-node-agent'), 'kubelet'),
      nodes,
      dataDirectory: dataDir,
      apiServer,
      allowRoot: config.allowRoot,
      nfsDirectories: config.nfsDirectories,
      signal,
      onError,
    })
    return agent
  })
  return {
    agent: () => agent,
    ready: started.then(({ ready }) => ready),
    stopped: started.then(({ stopped }) => stopped).catch(() => undefined),
  }
}

const users = new Set(['kube-controller-manager', 'kube-scheduler'])

/** The two managers are users of their own; every controller is a service account in `kube-system`. */
function componentUser(name: string): UserInfo {
  if (users.has(name)) return { name: `system:${name}`, groups: ['system:authenticated'] }
  const account = { namespace: 'kube-system', name }
  return {
    name: accountUserName(account),
    groups: [...accountGroups(account.namespace), 'system:authenticated'],
  }
}
