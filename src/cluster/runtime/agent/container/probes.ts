import type { Container as ContainerManifest } from '../../../../kube/index.ts'
import { type Clock, pause } from '../../clock.ts'
import { carryOut, type Handler, type HandlerTarget } from './handler.ts'

export interface ProbeListener {
  /** The start-up probe has succeeded, or there is none. */
  onStarted(): void
  onReady(isReady: boolean): void
  /** The container is to be ended: `Liveness` or `Startup` has failed for too long. */
  onFatal(kind: 'Liveness' | 'Startup', graceSeconds: number | undefined): void
  /** One attempt failed; for the events. */
  onUnhealthy(kind: string, why: string): void
}

type Probe = Handler & {
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
}

/**
 * Probes a running container until the signal aborts. Readiness and liveness wait for the start-up probe.
 * (https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/)
 */
export async function runProbes(
  manifest: ContainerManifest,
  target: HandlerTarget,
  listener: ProbeListener,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = manifest
  if (startupProbe !== undefined) {
    const isUp = await repeat('Startup', startupProbe as Probe, target, listener, {
      ...options,
      isOver: (result) => result,
    })
    if (!isUp) return
  }
  if (options.signal.aborted) return
  listener.onStarted()
  if (readinessProbe === undefined) listener.onReady(true)
  const never = { ...options, isOver: () => false }
  await Promise.all([
    readinessProbe === undefined
      ? undefined
      : repeat('Readiness', readinessProbe as Probe, target, listener, never),
    livenessProbe === undefined
      ? undefined
      : repeat('Liveness', livenessProbe as Probe, target, listener, never),
  ])
}

interface RepeatOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly isOver: (result: boolean) => boolean
}

/** True when it ended because `isOver` said so. */
async function repeat(
  kind: 'Startup' | 'Readiness' | 'Liveness',
  probe: Probe,
  target: HandlerTarget,
  listener: ProbeListener,
  { clock, signal, isOver }: RepeatOptions,
): Promise<boolean> {
  let successes = 0
  let failures = 0
  await pause(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal)
  while (!signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000)])
    const result = await carryOut(probe, target, limit)
    if (signal.aborted) return false
    if (result.isGood) {
      failures = 0
      successes += 1
      if (successes >= (probe.successThreshold ?? 1)) {
        if (kind === 'Readiness') listener.onReady(true)
        if (isOver(true)) return true
      }
    } else {
      successes = 0
      failures += 1
      listener.onUnhealthy(kind, result.why)
      if (failures >= (probe.failureThreshold ?? 3)) {
        if (kind === 'Readiness') listener.onReady(false)
        else {
          listener.onFatal(kind, probe.terminationGracePeriodSeconds)
          return false
        }
      }
    }
    await pause(clock, (probe.periodSeconds ?? 10) * 1000, signal)
  }
  return false
}
