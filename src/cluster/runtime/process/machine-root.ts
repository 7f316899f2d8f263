import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Identity } from '../runtime.ts'
import type { BindStep, RootStep } from './shim-spec.ts'

/** What of this machine containers may see. */
export interface MachineView {
  /** Directories of software, shown read-only at their own paths. */
  readonly software: readonly string[]
  /** Never shown, although they may lie in a software directory. */
  readonly hidden: readonly string[]
}

/**
 * Top-level directories of installed software. All else of the machine is absent: what is not listed here (homes,
 * state, sockets, other people's data) need not be hidden, and what is added to a machine later is not shown by chance.
 */
export const defaultSoftware = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/nix',
  '/snap',
]

// What programs need of /etc. Keys, passwords and the configuration of services stay out of sight.
const configuration = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'debian_version',
  'fonts',
  'gai.conf',
  'gitconfig',
  'glvnd',
  'host.conf',
  'inputrc',
  'java-11-openjdk',
  'java-17-openjdk',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'OpenCL',
  'openmpi',
  'os-release',
  'pki/ca-trust',
  'pki/tls/certs',
  'profile',
  'profile.d',
  'protocols',
  'python3',
  'R',
  'resolv.conf',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
  'vulkan',
]

const harmlessDevices = ['null', 'zero', 'full', 'random', 'urandom', 'tty']

/** Directory with a `python` where the machine has only `python3`; last in the default PATH. */
export const shimPrograms = '/run/arena/bin'
export const defaultPath = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${shimPrograms}`

export interface RootOptions {
  readonly view: MachineView
  readonly identity: Identity
  readonly isolation: 'root' | 'user'
  /** Fresh directories on disk for this run. */
  readonly scratch: string
  /** Paths of the volumes, to see where mount points must be made in software directories. */
  readonly targets: readonly string[]
  readonly devices: readonly string[]
}

/** The file system that every container starts from, before its volumes. */
export function machineRootSteps(options: RootOptions): RootStep[] {
  return [
    ...softwareSteps(options),
    ...optSteps(options.view),
    ...configurationSteps(options),
    ...emptySteps(),
    ...scratchSteps(options.scratch),
    ...deviceSteps(options.devices),
    ...kernelSteps(options.isolation),
    ...hiddenSteps(options.view),
    {
      kind: 'symlink',
      target: `${shimPrograms}/python`,
      to: '/usr/bin/python3',
    },
  ]
}

function softwareSteps({ view, targets, scratch }: RootOptions): RootStep[] {
  return view.software.flatMap((path): RootStep[] => {
    const status = lstatSync(path, { throwIfNoEntry: false })
    if (status === undefined) return []
    if (status.isSymbolicLink()) return [{ kind: 'symlink', target: path, to: readlinkSync(path) }]
    // Nothing can be made in what is shown read-only; a layer on top takes the mount points.
    const needsLayer = targets.some((target) => target.startsWith(`${path}/`) && !existsSync(target))
    if (needsLayer) {
      const layer = join(scratch, 'layers', path.slice(1).replaceAll('/', '-'))
      return [
        {
          kind: 'overlay',
          target: path,
          lower: path,
          upper: join(layer, 'upper'),
          work: join(layer, 'work'),
        },
      ]
    }
    return [readOnlyBind(path, path)]
  })
}

/** Layer directories that {@link machineRootSteps} relies on; to be made before. */
export function layerDirectories(steps: readonly RootStep[]): string[] {
  return steps.flatMap((step) => (step.kind === 'overlay' ? [step.upper, step.work] : []))
}

// Each entry by itself, so that mount points such as /opt/ml can be made beside them.
function optSteps(view: MachineView): RootStep[] {
  if (view.software.includes('/opt') || !existsSync('/opt')) return []
  return readdirSync('/opt').map((name) => readOnlyBind(`/opt/${name}`, `/opt/${name}`))
}

function configurationSteps({ identity }: RootOptions): RootStep[] {
  const shown = configuration
    .filter((name) => existsSync(`/etc/${name}`))
    .map((name): RootStep => readOnlyBind(`/etc/${name}`, `/etc/${name}`))
  return [
    ...shown,
    { kind: 'file', target: '/etc/passwd', content: passwd(identity), mode: 0o644 },
    { kind: 'file', target: '/etc/group', content: group(identity), mode: 0o644 },
  ]
}

function passwd({ uid, gid }: Identity): string {
  const lines = ['root:x:0:0:root:/root:/bin/sh', 'nobody:x:65534:65534:nobody:/root:/bin/sh']
  if (uid !== 0 && uid !== 65534) {
    lines.push(`${nameOf('/etc/passwd', uid) ?? `user${uid}`}:x:${uid}:${gid}::/root:/bin/sh`)
  }
  return `${lines.join('\n')}\n`
}

function group({ gid, groups }: Identity): string {
  const lines = ['root:x:0:', 'nogroup:x:65534:']
  for (const id of new Set([gid, ...groups])) {
    if (id !== 0 && id !== 65534) lines.push(`${nameOf('/etc/group', id) ?? `group${id}`}:x:${id}:`)
  }
  return `${lines.join('\n')}\n`
}

function nameOf(file: string, id: number): string | undefined {
  if (!existsSync(file)) return undefined
  const entry = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(id))
  return entry?.[0]
}

function emptySteps(): RootStep[] {
  const directories = [
    '/home',
    '/mnt',
    '/media',
    '/srv',
    '/run/lock',
    '/var/log',
    '/var/lib',
    '/var/cache',
    shimPrograms,
  ].map((target): RootStep => ({ kind: 'directory', target, mode: 0o755 }))
  return [...directories, { kind: 'symlink', target: '/var/run', to: '/run' }]
}

/** Fresh directories on disk that a run writes to; the first is home and default working directory. */
export const scratchDirectories = [
  { name: 'root', target: '/root', mode: 0o750, isOwned: true },
  { name: 'tmp', target: '/tmp', mode: 0o1777, isOwned: false },
  { name: 'var-tmp', target: '/var/tmp', mode: 0o1777, isOwned: false },
] as const

function scratchSteps(scratch: string): RootStep[] {
  return scratchDirectories.map(({ name, target }) => ({
    kind: 'bind',
    source: join(scratch, name),
    target,
    readOnly: false,
  }))
}

function deviceSteps(devices: readonly string[]): RootStep[] {
  const nodes = [...harmlessDevices.map((name) => `/dev/${name}`), ...devices]
  return [
    { kind: 'tmpfs', target: '/dev', options: 'mode=755,size=1m' },
    ...nodes.map(
      (path): BindStep => ({
        kind: 'bind',
        source: path,
        target: path,
        readOnly: false,
        devices: true,
        optional: true,
      }),
    ),
    { kind: 'devpts', target: '/dev/pts', options: 'newinstance,ptmxmode=0666,mode=0620' },
    { kind: 'tmpfs', target: '/dev/shm', options: 'mode=1777,size=64m' },
    { kind: 'symlink', target: '/dev/ptmx', to: 'pts/ptmx' },
    { kind: 'symlink', target: '/dev/fd', to: '/proc/self/fd' },
    { kind: 'symlink', target: '/dev/stdin', to: '/proc/self/fd/0' },
    { kind: 'symlink', target: '/dev/stdout', to: '/proc/self/fd/1' },
    { kind: 'symlink', target: '/dev/stderr', to: '/proc/self/fd/2' },
  ]
}

function kernelSteps(isolation: 'root' | 'user'): RootStep[] {
  const steps: RootStep[] = [
    { kind: 'proc', target: '/proc' },
    // Libraries look up processors and devices here. Not recursive: control groups and other mounts stay out.
    {
      kind: 'bind',
      source: '/sys',
      target: '/sys',
      readOnly: true,
      optional: true,
      recursive: isolation === 'user',
    },
  ]
  // A user namespace gives no right over these anyway, and forbids some of the mounts.
  if (isolation === 'user') return steps
  for (const name of ['sys', 'bus', 'fs', 'irq']) {
    steps.push({
      kind: 'bind',
      source: `/proc/${name}`,
      target: `/proc/${name}`,
      readOnly: true,
      optional: true,
    })
  }
  for (const name of [
    'kcore',
    'keys',
    'key-users',
    'latency_stats',
    'timer_list',
    'sched_debug',
    'sysrq-trigger',
  ]) {
    if (existsSync(`/proc/${name}`)) {
      steps.push({
        kind: 'bind',
        source: '/dev/null',
        target: `/proc/${name}`,
        readOnly: true,
        optional: true,
      })
    }
  }
  return steps
}

function hiddenSteps(view: MachineView): RootStep[] {
  const shown = [...view.software, '/opt']
  return view.hidden
    .filter((path) => shown.some((software) => path === software || path.startsWith(`${software}/`)))
    .map((target) => ({ kind: 'tmpfs', target, options: 'mode=000,size=0', readOnly: true }))
}

function readOnlyBind(source: string, target: string): BindStep {
  return { kind: 'bind', source, target, readOnly: true, recursive: true, optional: true }
}
