import type { Subject, Violation } from './subject.ts'

/** Safe sysctls with the minor version of the standard since which they count as safe. */
const safeSysctls: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
}

export function sysctls({ spec, version }: Subject): Violation | undefined {
  const bad = (spec.securityContext?.sysctls ?? [])
    .map((one) => one.name)
    .filter((name) => !Object.hasOwn(safeSysctls, name) || (safeSysctls[name] ?? 0) > version)
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
}
