/** The usual form of a parameter's name, which may be written as a path too. */
export function dottedName(sysctl: string): string {
  return sysctl.replaceAll('/', '.')
}

/**
 * Kernel parameters that a pod may set without harm to others, with the minor version of the pod security standards
 * since which they count as safe (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/).
 */
export const safeSysctls: Readonly<Record<string, number>> = {
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
