import type { AgentContext } from './pod-context.ts'

/** The end of the agent, as one of its many pods waits for it. */
export interface AgentEnd {
  /** Settles when the work is done, or the agent ends. */
  or(work: Promise<unknown>): Promise<void>
  /** The pod waits no more. */
  forget(): void
}

/** Calls `onEnd` when the agent ends, unless it is forgotten before. */
export function awaitAgentEnd({ endings }: AgentContext, onEnd: () => void): AgentEnd {
  let end = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    end = () => {
      onEnd()
      resolve()
    }
  })
  endings.add(end)
  return {
    or: async (work) => {
      await Promise.race([work, reached])
    },
    forget: () => void endings.delete(end),
  }
}
