import type { Clock } from '../../clock.ts'
import { carryOut, type Handler, type HandlerTarget } from './handler.ts'

/** Runs the hook after a container's start, if it has one. Returns what went wrong. */
export async function runPostStart(target: HandlerTarget, signal: AbortSignal): Promise<string | undefined> {
  const hook = target.manifest.lifecycle?.postStart
  if (hook === undefined) return undefined
  const result = await carryOut(hook as Handler, target, signal)
  return result.isGood ? undefined : result.why
}

/** Runs the hook before a container's end, if it has one, for as long as there is time. Returns what went wrong. */
export async function runPreStop(
  target: HandlerTarget,
  { graceMs, clock }: { readonly graceMs: number; readonly clock: Clock },
): Promise<string | undefined> {
  const { container, manifest } = target
  const hook = manifest.lifecycle?.preStop
  if (hook === undefined || graceMs <= 0) return undefined
  const limit = new AbortController()
  const cancel = clock.schedule(graceMs, () => limit.abort())
  // A container that ends by itself meanwhile needs no more waiting.
  void container.exited.then(() => limit.abort())
  const result = await carryOut(hook as Handler, target, limit.signal)
  cancel()
  return result.isGood || container.exit !== undefined ? undefined : result.why
}
