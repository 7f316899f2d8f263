import type { KubeClient } from '../kube/index.ts'
import { type AccountTokens, accountGroups, accountUserName, type Pki } from './auth/index.ts'
import { startControllers } from './controllers/index.ts'
import type { UserInfo } from './registry/index.ts'
import { startScheduler } from './scheduler/index.ts'

export interface EngineOptions {
  clientAs(user: UserInfo): KubeClient
  readonly pki: Pki
  readonly tokens: AccountTokens
  readonly signal: AbortSignal
  log(line: string): void
}

/** Everything that acts on the API by itself: controllers and scheduler. */
export interface Engine {
  /** Settles when all of it has stopped, after the signal. */
  readonly stopped: Promise<void>
}

/** Starts the parts of the control plane that are API clients, each as the user Kubernetes runs it as. */
export function startEngine(options: EngineOptions): Engine {
  const { clientAs, signal } = options
  const report = (part: string) => (error: unknown) => {
    if (!signal.aborted) options.log(`${part}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const controllers = startControllers({
    clientFor: (name) => clientAs(componentUser(name)),
    signal,
    settings: {
      rootCertificate: options.pki.authority,
      mintToken: (account, secretName) => options.tokens.mintLegacy(account, secretName),
    },
    onError: (error, name) => report(name)(error),
    onFatal: (error, name) => report(`${name} ended`)(error),
  })
  const scheduler = startScheduler({
    client: clientAs(componentUser('kube-scheduler')),
    signal,
    informers: controllers.informers,
    onError: report('scheduler'),
  })
  return { stopped: Promise.all([controllers.stopped, scheduler]).then(() => undefined) }
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
