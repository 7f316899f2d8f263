import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type {
  Container,
  EnvVar,
  PodSpec,
  PodTemplateSpec,
  ResourceRequirements,
  Volume,
  VolumeMount,
} from '../../kube/index.ts'
import type { JobSpec } from '../submit/spec.ts'
import { initCodeContainer } from './code-sync.ts'
import type { BuildContext } from './kind.ts'

/** What differs between the roles of a job. */
export interface RoleSpec {
  readonly image: string
  readonly cpu?: string
  readonly cpuLimit?: string
  readonly memory?: string
  readonly memoryLimit?: string
  readonly gpus: number
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly port?: { readonly name: string; readonly number: number }
  readonly affinity?: PodSpec['affinity']
  readonly usesRdma: boolean
  /** Set beside, and before, the user's own. */
  readonly environment: readonly EnvVar[]
}

export interface TemplateOptions {
  readonly spec: JobSpec
  readonly role: RoleSpec
  readonly containerName: string
  readonly context: BuildContext
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const gpu = 'nvidia.com/gpu'
const rootHome = '/root'

/** The pod of one role: container, code, volumes, devices, identity. */
export function podTemplate(options: TemplateOptions): PodTemplateSpec {
  const { spec, role, context } = options
  const { volumes, mounts } = volumesOf(spec, context)
  const environment = environmentOf(spec, role)
  const restricted = restrictedContext(context)
  const container: Container = {
    name: options.containerName,
    image: role.image,
    imagePullPolicy: spec.imagePullPolicy,
    // Three separate words: the text reaches the shell exactly as it was typed.
    command: [spec.shell, '-c', spec.command],
    workingDir: spec.workingDirectory,
    env: environment,
    ...(role.port && { ports: [{ name: role.port.name, containerPort: role.port.number }] }),
    ...resourcesField(resourcesOf(spec, role)),
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...containerSecurity(role, restricted),
  }
  const init =
    spec.sync &&
    initCodeContainer(spec.sync, {
      environment,
      imagePullPolicy: spec.imagePullPolicy,
      resources: withoutDevices(resourcesOf(spec, role)),
    })
  return {
    metadata: { labels: { ...options.labels }, annotations: { ...options.annotations } },
    spec: {
      ...(init && { initContainers: [restricted ? { ...init, securityContext: restricted } : init] }),
      containers: [container],
      ...(volumes.length > 0 && { volumes }),
      ...placement(spec, role),
      ...identityField(context),
      // A token inside the job would let its program act as the person who submitted it.
      automountServiceAccountToken: false,
    },
  }
}

function placement(spec: JobSpec, role: RoleSpec): Partial<PodSpec> {
  const secrets = spec.imagePullSecrets.map((name) => ({ name }))
  return {
    ...(Object.keys(role.nodeSelector).length > 0 && { nodeSelector: { ...role.nodeSelector } }),
    ...(spec.tolerations.length > 0 && { tolerations: [...spec.tolerations] }),
    ...(role.affinity && { affinity: role.affinity }),
    ...(spec.priorityClassName !== undefined && { priorityClassName: spec.priorityClassName }),
    ...(spec.schedulerName !== undefined && { schedulerName: spec.schedulerName }),
    ...(secrets.length > 0 && { imagePullSecrets: secrets }),
    ...(spec.usesHostNetwork && { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }),
    ...(spec.usesHostIpc && { hostIPC: true }),
    ...(spec.usesHostPids && { hostPID: true }),
  }
}

function identityField({ identity }: BuildContext): Pick<PodSpec, 'securityContext'> {
  const { uid, gid, groups } = identity
  if (uid === undefined && gid === undefined && groups.length === 0) return {}
  return {
    securityContext: {
      ...(uid !== undefined && { runAsUser: uid }),
      ...(gid !== undefined && { runAsGroup: gid }),
      ...(groups.length > 0 && { supplementalGroups: [...groups] }),
      ...(uid !== undefined &&
        uid !== 0 && { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
    },
  }
}

/** What an ordinary user's container needs no more than; absent when it may have to be root. */
function restrictedContext({ identity }: BuildContext): Container['securityContext'] | undefined {
  if (identity.uid === undefined || identity.uid === 0) return undefined
  return { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
}

function containerSecurity(
  role: RoleSpec,
  restricted: Container['securityContext'] | undefined,
): Pick<Container, 'securityContext'> {
  if (!role.usesRdma) return restricted ? { securityContext: restricted } : {}
  // Memory that a network card writes to must stay where it is.
  const capabilities = { ...restricted?.capabilities, add: ['IPC_LOCK'] }
  return { securityContext: { ...restricted, capabilities } }
}

function environmentOf(spec: JobSpec, role: RoleSpec): EnvVar[] {
  const variables = new Map<string, string>()
  if (spec.workingDirectory === rootHome) variables.set('HOME', rootHome)
  for (const [name, value] of Object.entries(spec.environment)) variables.set(name, value)
  for (const { name, value = '' } of role.environment) variables.set(name, value)
  variables.set('gpus', String(spec.gpus))
  const sharesGpu = 'aliyun.com/gpu-count' in spec.labels || 'aliyun.com/gpu-mem' in spec.devices
  // Without it, some runtimes show every GPU of the machine to a job that asked for none.
  if (role.gpus === 0 && !sharesGpu) variables.set('NVIDIA_VISIBLE_DEVICES', 'void')
  return [...variables].map(([name, value]) => ({ name, value }))
}

function resourcesOf(
  spec: JobSpec,
  role: RoleSpec,
): Required<Pick<ResourceRequirements, 'limits' | 'requests'>> {
  const devices = {
    ...(role.gpus > 0 && { [gpu]: String(role.gpus) }),
    ...spec.devices,
    ...(role.usesRdma && { 'rdma/hca': '1' }),
  }
  const cpuLimit = role.cpuLimit ?? role.cpu
  const memoryLimit = role.memoryLimit ?? role.memory
  return {
    requests: {
      ...(role.cpu !== undefined && { cpu: role.cpu }),
      ...(role.memory !== undefined && { memory: role.memory }),
      ...devices,
    },
    limits: {
      ...(cpuLimit !== undefined && { cpu: cpuLimit }),
      ...(memoryLimit !== undefined && { memory: memoryLimit }),
      ...devices,
    },
  }
}

function resourcesField(
  resources: Required<Pick<ResourceRequirements, 'limits' | 'requests'>>,
): Pick<Container, 'resources'> {
  const { requests, limits } = resources
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return {}
  return {
    resources: {
      ...(Object.keys(limits).length > 0 && { limits }),
      ...(Object.keys(requests).length > 0 && { requests }),
    },
  }
}

function withoutDevices(
  resources: Required<Pick<ResourceRequirements, 'limits' | 'requests'>>,
): Container['resources'] | undefined {
  const keep = (amounts: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => name === 'cpu' || name === 'memory'))
  return resourcesField({ requests: keep(resources.requests), limits: keep(resources.limits) }).resources
}

function volumesOf(spec: JobSpec, context: BuildContext): { volumes: Volume[]; mounts: VolumeMount[] } {
  const volumes: Volume[] = []
  const mounts: VolumeMount[] = []
  const add = (volume: Volume, mountPath: string, readOnly = false): void => {
    volumes.push(volume)
    mounts.push({ name: volume.name, mountPath, ...(readOnly && { readOnly: true }) })
  }
  // Images keep /root to the superuser: a job that runs as somebody else needs a home of its own there.
  if (
    context.identity.uid !== undefined &&
    context.identity.uid !== 0 &&
    spec.workingDirectory === rootHome
  ) {
    add({ name: 'home', emptyDir: {} }, rootHome)
  }
  if (spec.sharedMemory !== '0') {
    add({ name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: spec.sharedMemory } }, '/dev/shm')
  }
  for (const { source, path } of spec.claims) {
    const readOnly = context.readOnlyClaims.has(source)
    add(
      {
        name: volumeName(source),
        persistentVolumeClaim: { claimName: source, ...(readOnly && { readOnly: true }) },
      },
      path,
      readOnly,
    )
  }
  for (const [index, { source, path }] of spec.hostDirectories.entries()) {
    add({ name: `training-data-${index}`, hostPath: { path: source } }, path)
  }
  for (const { name, directory } of configMapsOf(spec)) {
    add({ name: name.slice(spec.name.length + 1), configMap: { name } }, directory)
  }
  if (spec.sync) add({ name: 'code-sync', emptyDir: {} }, posix.join(spec.workingDirectory, 'code'))
  return { volumes, mounts }
}

/** Names of claims may have dots and be long; names of volumes may not. */
function volumeName(claim: string): string {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(claim) && claim.length <= 63
    ? claim
    : `claim-${createHash('md5').update(claim).digest('hex').slice(0, 15)}`
}

/** A config map for all files that `--config-file` puts into one directory of the container. */
export interface ConfigMapPlan {
  readonly name: string
  readonly directory: string
  readonly files: readonly { readonly localPath: string; readonly fileName: string }[]
}

/** The config maps that a job's `--config-file` flags need. */
export function configMapsOf(spec: Pick<JobSpec, 'name' | 'configFiles'>): readonly ConfigMapPlan[] {
  const byDirectory = new Map<string, { localPath: string; fileName: string }[]>()
  for (const { source, path } of spec.configFiles) {
    const directory = posix.dirname(path)
    const files = byDirectory.get(directory) ?? []
    files.push({ localPath: source, fileName: posix.basename(path) })
    byDirectory.set(directory, files)
  }
  return [...byDirectory].map(([directory, files]) => {
    const digest = createHash('md5').update(directory).digest('hex').slice(0, 15)
    return { name: `${spec.name}-${digest}`, directory, files }
  })
}
