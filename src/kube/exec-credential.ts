import { UserError } from '../errors.ts'

/** The `exec` part of a kubeconfig's user. */
export interface ExecConfig {
  readonly command: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly apiVersion: string
  /** What the plugin is told of the cluster, when it asked to be. */
  readonly clusterInfo?: Readonly<Record<string, unknown>>
  readonly mayHandOutCertificate: boolean
  /** `Never`: it is given no standard input; `Always`: it cannot do without a terminal. */
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always'
  readonly installHint?: string
}

/** What a plugin handed out. */
export interface ExecCredential {
  readonly token?: string
  readonly clientCertificate?: string
  readonly clientKey?: string
  /** Milliseconds since 1970; absent for one that lasts as long as the process. */
  readonly expiresAt?: number
}

/** A credential of a plugin, asked for when there is none or it is about to expire. */
export interface CachedExecCredential {
  get(signal?: AbortSignal): Promise<ExecCredential>
  /** The server refused it: ask anew next time. */
  forget(): void
}

// Ask again this long before the end, so that a request on its way does not arrive with a dead token.
const renewBeforeMs = 10_000
const pluginTimeoutMs = 60_000
// A person signs in on a page of the browser, perhaps with a second factor.
const personTimeoutMs = 600_000
const largestAnswer = 1024 * 1024

/** Runs credential plugins (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins). */
export function execCredential(
  config: ExecConfig,
  options: {
    environment: Readonly<Record<string, string | undefined>>
    now?: () => number
  },
): CachedExecCredential {
  const now = options.now ?? Date.now
  let held: ExecCredential | undefined
  let running: Promise<ExecCredential> | undefined
  return {
    async get(signal) {
      if (held !== undefined && (held.expiresAt === undefined || held.expiresAt - renewBeforeMs > now())) {
        return held
      }
      running ??= runPlugin(config, options, signal).finally(() => {
        running = undefined
      })
      held = await running
      return held
    },
    forget() {
      held = undefined
    },
  }
}

async function runPlugin(
  config: ExecConfig,
  options: { environment: Readonly<Record<string, string | undefined>> },
  signal: AbortSignal | undefined,
): Promise<ExecCredential> {
  const isTerminal = process.stdin.isTTY === true
  if (config.interactiveMode === 'Always' && !isTerminal) {
    throw failed(config, 'it has to ask a person, and there is no terminal', {
      hint: 'run the command at a terminal, or use a kubeconfig whose plugin needs nobody',
    })
  }
  const isInteractive = isTerminal && config.interactiveMode !== 'Never'
  const info = {
    apiVersion: config.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: isInteractive,
      ...(config.clusterInfo !== undefined && { cluster: config.clusterInfo }),
    },
  }
  const output = await capture(config, {
    environment: {
      ...options.environment,
      ...config.environment,
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
    signal,
    timeoutMs: isTerminal ? personTimeoutMs : pluginTimeoutMs,
    isInteractive,
  })
  return readAnswer(config, output)
}

async function capture(
  config: ExecConfig,
  options: {
    environment: Record<string, string | undefined>
    signal: AbortSignal | undefined
    timeoutMs: number
    isInteractive: boolean
  },
): Promise<string> {
  const { spawn } = await import('node:child_process')
  const patience = AbortSignal.timeout(options.timeoutMs)
  return new Promise((resolve, reject) => {
    const child = spawn(config.command, config.arguments, {
      env: options.environment,
      signal: options.signal ? AbortSignal.any([options.signal, patience]) : patience,
      // The plugin may ask the person at the terminal, and its messages are for that person.
      stdio: [options.isInteractive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      output += text
      if (output.length > largestAnswer) child.kill()
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted === true) reject(options.signal.reason)
      else if (patience.aborted) reject(failed(config, `no answer within ${options.timeoutMs / 1000} s`))
      else reject(failed(config, startFailure(error), { cause: error }))
    })
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve(output)
      else
        reject(failed(config, code === null ? `it was ended by ${killedBy}` : `it ended with status ${code}`))
    })
  })
}

function readAnswer(config: ExecConfig, output: string): ExecCredential {
  let answer: unknown
  try {
    answer = JSON.parse(output)
  } catch (error) {
    throw failed(config, 'its answer is no JSON', { cause: error })
  }
  if (typeof answer !== 'object' || answer === null) throw failed(config, 'its answer is no object')
  const kind = 'kind' in answer ? answer.kind : undefined
  if (kind !== 'ExecCredential') throw failed(config, 'its answer is no ExecCredential')
  const status = 'status' in answer ? answer.status : undefined
  if (typeof status !== 'object' || status === null) throw failed(config, 'its answer has no status')
  const text = (field: string): string | undefined => {
    const value: unknown = Reflect.get(status, field)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const token = text('token')
  const clientCertificate = text('clientCertificateData')
  const clientKey = text('clientKeyData')
  const expiry = text('expirationTimestamp')
  if (token === undefined && clientCertificate === undefined) {
    throw failed(config, 'its answer holds neither a token nor a certificate')
  }
  const expiresAt = expiry === undefined ? undefined : Date.parse(expiry)
  if (Number.isNaN(expiresAt)) throw failed(config, `its expirationTimestamp "${expiry}" is no time`)
  return {
    ...(token !== undefined && { token }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientKey !== undefined && { clientKey }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

function startFailure(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'it is not installed'
  return error.code === 'EACCES' ? 'it may not be run: its file is not executable' : error.message
}

function failed(config: ExecConfig, why: string, more: { hint?: string; cause?: unknown } = {}): UserError {
  const byHand = 'run the plugin by hand; it stands under "exec" of the user in the kubeconfig'
  return new UserError(
    'UNAUTHENTICATED',
    `credential plugin "${config.command}" gave no credential: ${why}`,
    { hint: more.hint ?? config.installHint ?? byHand, cause: more.cause },
  )
}
