import type { Notice } from '../runtime.ts'
import type { Isolation } from './shim-spec.ts'

/** Which kernel parameters are set for a container, and what is said about the others. */
export function planSysctls(
  wanted: Readonly<Record<string, string>>,
  isolation: Isolation,
): { readonly set: Record<string, string>; readonly notices: readonly Notice[] } {
  const set: Record<string, string> = {}
  const left: string[] = []
  for (const [name, value] of Object.entries(wanted)) {
    // Shared memory is each container's own; the network is the machine's, and so are its parameters.
    if (isolation === 'root' && name.startsWith('kernel.shm')) set[name] = value
    else left.push(name)
  }
  if (left.length === 0) return { set, notices: [] }
  const message = `${left.join(', ')} stays as it is on this machine: containers have no such parameter of their own here`
  return { set, notices: [{ reason: 'SysctlNotSet', message }] }
}
