import { readFileSync } from 'node:fs'
import { hasCode } from './files.ts'

/**
 * When a process was started, as the kernel counts it: ids are given out again, and a pair of both is not. Field 22 of
 * `/proc/PID/stat` (proc(5)); undefined when there is no such process, or only what its parent has not looked at yet.
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** Does a process that was started at this time still run? Without the time, as on machines without `/proc`: does any? */
export function isRunning(pid: number, started: string): boolean {
  const found = startTimeOf(pid)
  if (found !== undefined) return found === started
  try {
    process.kill(pid, 0)
    // A process of ours that /proc does not know has ended and is not collected yet.
    return started === ''
  } catch (error) {
    // Those of others may be hidden in /proc (hidepid), and are there all the same.
    return hasCode(error, 'EPERM')
  }
}
