import type { PodSpec } from './kinds.ts'

/** A port of its node that a pod takes for itself. */
export interface HostPort {
  /** `0.0.0.0` for all addresses of the node. */
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

const anyAddress = '0.0.0.0'
const none: readonly never[] = []

/** The ports of its node that a pod takes, its sidecars' among them. */
export function portsOnHost(spec: PodSpec): readonly HostPort[] {
  let ports: HostPort[] | undefined
  const sidecars = (spec.initContainers ?? none).filter((container) => container.restartPolicy === 'Always')
  for (const container of sidecars.length === 0 ? spec.containers : [...spec.containers, ...sidecars]) {
    for (const port of container.ports ?? none) {
      if (!port.hostPort) continue
      const ip = port.hostIP === undefined || port.hostIP === '' ? anyAddress : port.hostIP
      ;(ports ??= []).push({ ip, protocol: port.protocol ?? 'TCP', port: port.hostPort })
    }
  }
  return ports ?? none
}

/** Can no two pods of a node have these? */
export function portsCollide(a: HostPort, b: HostPort): boolean {
  return (
    a.port === b.port &&
    a.protocol === b.protocol &&
    (a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress)
  )
}
