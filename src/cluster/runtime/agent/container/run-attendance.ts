import type { Container as ContainerManifest } from '../../../../kube/index.ts'
import type { Container } from '../../runtime.ts'
import type { ContainerKind, ContainerView } from './container-view.ts'
import type { ContainerWorkerOptions } from './container-worker.ts'
import type { Ending } from '../ending.ts'
import type { HandlerTarget } from './handler.ts'
import { runPostStart, runPreStop } from './lifecycle-hooks.ts'
import { runProbes } from './probes.ts'

const unending = new AbortController().signal

/** A run that is to be attended to. */
export interface AttendedRun {
  readonly options: ContainerWorkerOptions
  readonly container: Container
  /** This run is over. */
  readonly ended: Ending
  /** No run is wanted any more. */
  readonly ending: Ending
  readonly change: (change: Partial<ContainerView>) => void
  /** Told once the container is up. */
  readonly onStarted: (() => void) | undefined
}

/** What a container counts as before any probe has answered; one that is found again counts as it did. */
export function firstImpression(
  { manifest, kind, view, found }: ContainerWorkerOptions,
  container: Container,
): { started: boolean; ready: boolean } {
  if (container === found) return { started: view.started, ready: view.ready }
  const { startupProbe, readinessProbe } = manifest
  const started = startupProbe === undefined && !hasPostStart(manifest)
  return { started, ready: started && readinessProbe === undefined && countsAsReady(kind) }
}

/** What runs beside a running container: the hook after its start, then its probes. */
export async function attendRun(run: AttendedRun): Promise<void> {
  const { options, container, ended } = run
  const { manifest, clock, onEvent, graceMs } = options
  const target = targetOf(options, container)
  if (hasPostStart(manifest) && container !== options.found) {
    const why = await runPostStart(target, ended.signal)
    if (ended.isReached) return
    if (why !== undefined) {
      onEvent('Warning', 'FailedPostStartHook', `PostStartHook failed: ${why}`)
      void container.stop(graceMs)
      return
    }
  }
  await runProbes(
    manifest,
    target,
    {
      onStarted: () => {
        if (!options.view.started) run.change({ started: true })
        run.onStarted?.()
      },
      onReady: (ready) => {
        // An init container is ready when it has done its part.
        if (countsAsReady(options.kind) && options.view.ready !== ready) run.change({ ready })
      },
      onFatal: (kind, graceSeconds) => {
        const message = `Container ${manifest.name} failed ${kind.toLowerCase()} probe, will be restarted`
        onEvent('Normal', 'Killing', message)
        void container.stop(graceSeconds === undefined ? graceMs : graceSeconds * 1000)
      },
      onUnhealthy: (kind, why) => onEvent('Warning', 'Unhealthy', `${kind} probe failed: ${why}`),
    },
    { clock, signal: probingSignal(run) },
  )
}

/** Runs the hook before the end of a run. Returns how long that took, in milliseconds. */
export async function attendEnd(
  options: ContainerWorkerOptions,
  container: Container,
  graceMs: number,
): Promise<number> {
  const { clock, onEvent } = options
  const since = clock.now()
  const why = await runPreStop(targetOf(options, container), { graceMs, clock })
  if (why !== undefined) onEvent('Warning', 'FailedPreStopHook', `PreStopHook failed: ${why}`)
  return clock.now() - since
}

function probingSignal({ options, ended, ending }: AttendedRun): AbortSignal {
  const { startupProbe, readinessProbe, livenessProbe } = options.manifest
  if (startupProbe ?? readinessProbe ?? livenessProbe) return AbortSignal.any([ended.signal, ending.signal])
  // Nobody waits for it: it is only asked whether probing may begin.
  return ended.isReached || ending.isReached ? AbortSignal.abort() : unending
}

function targetOf(
  { runtime, manifest, podAddress }: ContainerWorkerOptions,
  container: Container,
): HandlerTarget {
  return { runtime, container, manifest, podAddress }
}

function hasPostStart({ lifecycle }: ContainerManifest): boolean {
  return lifecycle?.postStart !== undefined
}

function countsAsReady(kind: ContainerKind): boolean {
  return kind === 'main' || kind === 'sidecar'
}
