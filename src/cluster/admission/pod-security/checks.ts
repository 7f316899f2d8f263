import type { Container, Pod } from '../../../kube/index.ts'
import type { Level, Standard } from './level.ts'

/**
 * The Pod Security Standards (https://kubernetes.io/docs/concepts/security/pod-security-standards/), check by check,
 * worded as kube-apiserver 1.36 words them. One piece, because the standard is one table.
 */

/** One violated check. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

type PodSpec = NonNullable<Pod['spec']> & { hostUsers?: boolean }
type SecurityContext = NonNullable<Container['securityContext']>

interface Subject {
  readonly spec: PodSpec
  readonly annotations: Readonly<Record<string, string>>
  readonly containers: readonly Container[]
  /** Minor version of the standard; Infinity for the newest. */
  readonly version: number
}

interface Check {
  readonly level: Exclude<Level, 'privileged'>
  /** Minor version that brought the check. */
  readonly since: number
  /** The restricted level has a stricter check from this minor version on. */
  readonly overriddenSince?: number
  run(subject: Subject): Violation | undefined
}

/** Every violation of a pod, in the order in which Kubernetes lists them. */
export function violations(pod: Pick<Pod, 'metadata' | 'spec'>, standard: Standard): Violation[] {
  const { spec } = pod
  if (standard.level === 'privileged' || spec === undefined) return []
  const subject: Subject = {
    spec,
    annotations: pod.metadata?.annotations ?? {},
    containers: [
      ...(spec.initContainers ?? []),
      ...(spec.containers ?? []),
      ...((spec.ephemeralContainers ?? []) as Container[]),
    ],
    version: standard.version === 'latest' ? Number.POSITIVE_INFINITY : standard.version,
  }
  const found: Violation[] = []
  for (const check of checks) {
    if (check.since > subject.version) continue
    if (check.level === 'restricted' && standard.level !== 'restricted') continue
    const isOverridden = check.overriddenSince !== undefined && check.overriddenSince <= subject.version
    if (isOverridden && standard.level === 'restricted') continue
    const violation = check.run(subject)
    if (violation !== undefined) found.push(violation)
  }
  return found
}

/** `reason (detail), reason (detail)`. */
export function describe(found: readonly Violation[]): string {
  return found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')
}

const baselineCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
const restrictedVolumeTypes = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
] as const
/** Safe sysctls with the minor version since which they count as safe. */
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
const safeSeLinuxTypes: Readonly<Record<string, number>> = {
  '': 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
}
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/'

// Kubernetes sorts by the check's id, the baseline level first.
const checks: readonly Check[] = [
  { level: 'baseline', since: 0, run: appArmorProfile },
  { level: 'baseline', since: 0, overriddenSince: 22, run: baselineCapabilitiesOnly },
  { level: 'baseline', since: 0, run: hostNamespaces },
  { level: 'baseline', since: 0, overriddenSince: 0, run: hostPathVolumes },
  { level: 'baseline', since: 0, run: hostPorts },
  { level: 'baseline', since: 34, run: hostProbes },
  { level: 'baseline', since: 0, run: privileged },
  {
    level: 'baseline',
    since: 0,
    run: (subject) => (isUserNamespaced(subject) ? undefined : procMount(subject)),
  },
  { level: 'baseline', since: 0, run: seLinuxOptions },
  { level: 'baseline', since: 0, overriddenSince: 19, run: (subject) => seccompProfile(subject) },
  { level: 'baseline', since: 0, run: sysctls },
  { level: 'baseline', since: 0, run: windowsHostProcess },
  { level: 'restricted', since: 8, run: allowPrivilegeEscalation },
  { level: 'restricted', since: 22, run: restrictedCapabilitiesOnly },
  { level: 'restricted', since: 35, run: procMount },
  { level: 'restricted', since: 0, run: restrictedVolumes },
  {
    level: 'restricted',
    since: 0,
    run: (subject) => (isUserNamespaced(subject) ? undefined : runAsNonRoot(subject)),
  },
  {
    level: 'restricted',
    since: 23,
    run: (subject) => (isUserNamespaced(subject) ? undefined : runAsUser(subject)),
  },
  { level: 'restricted', since: 19, run: requiredSeccompProfile },
]

function quoted(items: Iterable<string>): string {
  return `"${[...items].join('", "')}"`
}

function plural(one: string, count: number): string {
  return count === 1 ? one : `${one}s`
}

/** `container "a"`, `containers "a", "b"`. */
function named(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`
}

/** Who set a bad value: the pod itself, containers, or both. */
function setters(byPod: boolean, containers: readonly string[]): string[] {
  return [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [named(containers)] : [])]
}

function namesOf(
  subject: Subject,
  isBad: (context: SecurityContext, container: Container) => boolean,
): string[] {
  return subject.containers
    .filter((container) => isBad(container.securityContext ?? {}, container))
    .map((container) => container.name)
}

function isWindows({ spec, version }: Subject): boolean {
  return version >= 25 && spec.os?.name === 'windows'
}

/** Root in a user namespace of its own is nobody on the node. */
function isUserNamespaced({ spec, version }: Subject): boolean {
  return version >= 35 && spec.hostUsers === false
}

function appArmorProfile({ spec, annotations, containers }: Subject): Violation | undefined {
  const isAllowed = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'
  const typeOf = (context: object | undefined): string | undefined =>
    (context as { appArmorProfile?: { type: string } } | undefined)?.appArmorProfile?.type
  const values = new Set<string>()
  const podType = typeOf(spec.securityContext)
  const isPodBad = podType !== undefined && !isAllowed(podType)
  if (isPodBad) values.add(podType)
  const bad: string[] = []
  for (const container of containers) {
    const type = typeOf(container.securityContext)
    if (type === undefined || isAllowed(type)) continue
    bad.push(container.name)
    values.add(type)
  }
  const marks = Object.entries(annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorAnnotation) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
  const by = setters(isPodBad, bad)
  if (marks.length > 0) by.push(plural('annotation', marks.length))
  if (by.length === 0) return undefined
  const all = [...[...values].sort(), ...marks]
  return {
    reason: `forbidden AppArmor ${plural('profile', all.length)}`,
    detail: `${by.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  }
}

function baselineCapabilitiesOnly(subject: Subject): Violation | undefined {
  const extra = new Set<string>()
  const bad = namesOf(subject, ({ capabilities }) => {
    const added = (capabilities?.add ?? []).filter((one) => !baselineCapabilities.has(one))
    for (const one of added) extra.add(one)
    return added.length > 0
  })
  return bad.length === 0
    ? undefined
    : {
        reason: 'non-default capabilities',
        detail: `${named(bad)} must not include ${quoted([...extra].sort())} in securityContext.capabilities.add`,
      }
}

function restrictedCapabilitiesOnly(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const extra = new Set<string>()
  const keeping = namesOf(subject, ({ capabilities }) => !capabilities?.drop?.includes('ALL'))
  const adding = namesOf(subject, ({ capabilities }) => {
    const added = (capabilities?.add ?? []).filter((one) => one !== 'NET_BIND_SERVICE')
    for (const one of added) extra.add(one)
    return added.length > 0
  })
  const details: string[] = []
  if (keeping.length > 0) details.push(`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    details.push(
      `${named(adding)} must not include ${quoted([...extra].sort())} in securityContext.capabilities.add`,
    )
  }
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

function hostNamespaces({ spec }: Subject): Violation | undefined {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
  return shared.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') }
}

function hostPathVolumes({ spec }: Subject): Violation | undefined {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name)
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` }
}

function hostPorts(subject: Subject): Violation | undefined {
  const ports = new Set<string>()
  const bad = namesOf(subject, (_, container) => {
    const used = (container.ports ?? []).filter((port) => port.hostPort)
    for (const port of used) ports.add(String(port.hostPort))
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  const noun = plural('hostPort', ports.size)
  return {
    reason: noun,
    detail: `${named(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${noun} ${[...ports].sort().join(', ')}`,
  }
}

function hostProbes(subject: Subject): Violation | undefined {
  const hosts = new Set<string>()
  const bad = new Set<string>()
  for (const container of subject.containers) {
    const handlers = [
      container.livenessProbe,
      container.readinessProbe,
      container.startupProbe,
      container.lifecycle?.postStart,
      container.lifecycle?.preStop,
    ]
    for (const handler of handlers) {
      for (const host of [handler?.httpGet?.host, handler?.tcpSocket?.host]) {
        if (!host) continue
        hosts.add(host)
        bad.add(container.name)
      }
    }
  }
  return bad.size === 0
    ? undefined
    : {
        reason: 'probe or lifecycle host',
        detail: `${named([...bad].sort())} ${bad.size === 1 ? 'uses' : 'use'} ${plural('probe or lifecycle host', hosts.size)} ${quoted([...hosts].sort())}`,
      }
}

function privileged(subject: Subject): Violation | undefined {
  const bad = namesOf(subject, (context) => context.privileged === true)
  return bad.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` }
}

function procMount(subject: Subject): Violation | undefined {
  const types = new Set<string>()
  const bad = namesOf(subject, ({ procMount: type }) => {
    if (type === undefined || type === 'Default') return false
    types.add(type)
    return true
  })
  return bad.length === 0
    ? undefined
    : {
        reason: 'procMount',
        detail: `${named(bad)} must not set securityContext.procMount to ${quoted([...types].sort())}`,
      }
}

function seLinuxOptions({ spec, containers, version }: Subject): Violation | undefined {
  const types = new Set<string>()
  let setsUser = false
  let setsRole = false
  const isBad = (options: SecurityContext['seLinuxOptions']): boolean => {
    if (options === undefined) return false
    const type = options.type ?? ''
    const since = Object.hasOwn(safeSeLinuxTypes, type) ? safeSeLinuxTypes[type] : undefined
    const isTypeBad = since === undefined || since > version
    if (isTypeBad) types.add(type)
    if (options.user) setsUser = true
    if (options.role) setsRole = true
    return isTypeBad || Boolean(options.user) || Boolean(options.role)
  }
  const isPodBad = isBad(spec.securityContext?.seLinuxOptions)
  const bad = containers.filter((one) => isBad(one.securityContext?.seLinuxOptions)).map((one) => one.name)
  const by = setters(isPodBad, bad)
  if (by.length === 0) return undefined
  const data = [
    ...(types.size > 0 ? [`${plural('type', types.size)} ${quoted([...types].sort())}`] : []),
    ...(setsUser ? ['user may not be set'] : []),
    ...(setsRole ? ['role may not be set'] : []),
  ]
  return {
    reason: 'seLinuxOptions',
    detail: `${by.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  }
}

function isSeccompAllowed(type: string | undefined): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost'
}

function seccompProfile({ spec, containers }: Subject): Violation | undefined {
  const values = new Set<string>()
  const isBad = (profile: SecurityContext['seccompProfile']): boolean => {
    if (profile === undefined || isSeccompAllowed(profile.type)) return false
    values.add(profile.type)
    return true
  }
  const isPodBad = isBad(spec.securityContext?.seccompProfile)
  const bad = containers.filter((one) => isBad(one.securityContext?.seccompProfile)).map((one) => one.name)
  const by = setters(isPodBad, bad)
  return by.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `${by.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted([...values].sort())}`,
      }
}

function requiredSeccompProfile(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const explicit = seccompProfile(subject)
  if (explicit !== undefined) return explicit
  if (subject.spec.securityContext?.seccompProfile !== undefined) return undefined
  const bad = namesOf(subject, (context) => context.seccompProfile === undefined)
  return bad.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${named(bad)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
}

function sysctls({ spec, version }: Subject): Violation | undefined {
  const bad = (spec.securityContext?.sysctls ?? [])
    .map((one) => one.name)
    .filter((name) => !Object.hasOwn(safeSysctls, name) || (safeSysctls[name] ?? 0) > version)
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
}

function windowsHostProcess({ spec, containers }: Subject): Violation | undefined {
  const isPodBad = spec.securityContext?.windowsOptions?.hostProcess === true
  const bad = containers
    .filter((one) => one.securityContext?.windowsOptions?.hostProcess === true)
    .map((one) => one.name)
  const by = setters(isPodBad, bad)
  return by.length === 0
    ? undefined
    : {
        reason: 'hostProcess',
        detail: `${by.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
      }
}

function allowPrivilegeEscalation(subject: Subject): Violation | undefined {
  if (isWindows(subject)) return undefined
  const bad = namesOf(subject, (context) => context.allowPrivilegeEscalation !== false)
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      }
}

function restrictedVolumes({ spec }: Subject): Violation | undefined {
  const names: string[] = []
  const types = new Set<string>()
  for (const volume of spec.volumes ?? []) {
    const type = restrictedVolumeTypes.find((field) => (volume as unknown as Record<string, unknown>)[field])
    if (type === undefined) continue
    names.push(volume.name)
    types.add(type)
  }
  return names.length === 0
    ? undefined
    : {
        reason: 'restricted volume types',
        detail: `${plural('volume', names.length)} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'} ${plural('restricted volume type', types.size)} ${quoted([...types].sort())}`,
      }
}

function runAsNonRoot({ spec, containers }: Subject): Violation | undefined {
  const ofPod = spec.securityContext?.runAsNonRoot
  const stated = (container: Container): boolean | undefined => container.securityContext?.runAsNonRoot
  const explicit = containers.filter((one) => stated(one) === false).map((one) => one.name)
  const by = setters(ofPod === false, explicit)
  const reason = 'runAsNonRoot != true'
  if (by.length > 0) {
    return { reason, detail: `${by.join(' and ')} must not set securityContext.runAsNonRoot=false` }
  }
  if (ofPod === true) return undefined
  const silent = containers.filter((one) => stated(one) === undefined).map((one) => one.name)
  return silent.length === 0
    ? undefined
    : { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
}

function runAsUser({ spec, containers }: Subject): Violation | undefined {
  const by = setters(
    spec.securityContext?.runAsUser === 0,
    containers.filter((one) => one.securityContext?.runAsUser === 0).map((one) => one.name),
  )
  return by.length === 0
    ? undefined
    : { reason: 'runAsUser=0', detail: `${by.join(' and ')} must not set runAsUser=0` }
}
