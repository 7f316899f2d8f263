import { connectionOf, createKubeClient, openHttpsTransport, readKubeconfig } from '../kube/index.ts'
import type { Session } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { ownPlugin } from './own-plugin.ts'

export interface SessionOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `--config` */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly namespace?: string | undefined
}

/** A session and the way to end its connections. */
export interface OpenSession extends Session {
  close(): void
}

/**
 * Opens a session. Namespace: the flag, else the arena config file, else the kubeconfig's context, else `default`.
 *
 * @throws {UserError} `CONFIG_INVALID`
 */
export async function openSession(options: SessionOptions): Promise<OpenSession> {
  const { environment } = options
  const [settings, config] = await Promise.all([
    readConfigFile(environment),
    readKubeconfig({
      environment,
      ...(options.kubeconfig !== undefined && options.kubeconfig !== '' && { file: options.kubeconfig }),
    }),
  ])
  const connection = await connectionOf(config, {
    environment,
    ownPlugin: ownPlugin(environment),
    ...(options.context !== undefined && { context: options.context }),
  })
  const { transport, close } = await openHttpsTransport(connection)
  const chosen = [options.namespace, settings['namespace'], connection.namespace]
  return {
    client: createKubeClient(transport, { userAgent: 'arena', fieldManager: 'arena' }),
    namespace: chosen.find((namespace) => namespace !== undefined && namespace !== '') ?? 'default',
    contextName: connection.contextName,
    server: connection.server,
    settings,
    close,
  }
}
