import { setMaxListeners } from 'node:events'

/**
 * A signal that aborts with another one. Every request listens to its caller's signal for a moment, which takes the
 * longer the more others listen: whoever makes many requests needs a signal that is not everybody's.
 */
export function ownSignal(signal: AbortSignal): AbortSignal {
  const own = new AbortController()
  setMaxListeners(0, own.signal)
  if (signal.aborted) own.abort(signal.reason)
  else signal.addEventListener('abort', () => own.abort(signal.reason), { once: true })
  return own.signal
}
