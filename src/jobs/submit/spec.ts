import { UserError } from '../../errors.ts'
import type { CleanPodPolicy, Toleration } from '../../kube/index.ts'
import { commaList, durationSeconds, keyValues, mounts, oneOf, quantity, tolerations } from './spec-values.ts'

/** The flags of a command line, by their full names. */
export interface FlagValues {
  readonly arguments: readonly string[]
  text(flag: string): string | undefined
  texts(flag: string): readonly string[]
  flag(flag: string): boolean
  integer(flag: string): number | undefined
  /** Was the flag typed, rather than defaulted? */
  isGiven(flag: string): boolean
}

/** A directory of the container and what is mounted there. */
export interface Mount {
  /** Claim, directory of the node, or local file. */
  readonly source: string
  readonly path: string
}

export interface CodeSync {
  readonly mode: 'git' | 'rsync'
  readonly source: string
  readonly image?: string
}

/** What all kinds of jobs can be asked for. */
export interface JobSpec {
  readonly name: string
  readonly namespace: string
  readonly image: string
  /** What the shell runs, exactly as typed. */
  readonly command: string
  readonly shell: string
  readonly workingDirectory: string
  readonly imagePullPolicy: string
  readonly imagePullSecrets: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly Toleration[]
  readonly gpus: number
  /** Other devices, by resource name. */
  readonly devices: Readonly<Record<string, string>>
  readonly priorityClassName?: string
  readonly schedulerName?: string
  readonly isGang: boolean
  readonly isQueued: boolean
  readonly usesRdma: boolean
  readonly usesHostNetwork: boolean
  readonly usesHostIpc: boolean
  readonly usesHostPids: boolean
  readonly sharedMemory: string
  readonly claims: readonly Mount[]
  readonly hostDirectories: readonly Mount[]
  readonly configFiles: readonly Mount[]
  readonly sync?: CodeSync
  readonly cleanPodPolicy: CleanPodPolicy
  readonly runningTimeoutSeconds?: number
  readonly ttlSecondsAfterFinished?: number
  readonly backoffLimit?: number
}

/** What surrounds a command line. */
export interface SpecDefaults {
  readonly namespace: string
  /** The arena config file. */
  readonly settings: Readonly<Record<string, string>>
}

/**
 * Reads the flags that all kinds of jobs share.
 *
 * @throws {UserError} `USAGE` naming the flag and what is wrong with it.
 */
export function commonSpec(flags: FlagValues, defaults: SpecDefaults): JobSpec {
  const name = jobName(flags.text('name') ?? '')
  const command = flags.arguments.join(' ')
  if (command.trim() === '') {
    throw new UserError('USAGE', 'the command that the job runs is missing', {
      hint: 'write it last, in quotes, as in: arena submit tf --name=a --image=IMAGE "python train.py"',
    })
  }
  const image = flags.text('image') ?? ''
  if (image === '') {
    throw new UserError('USAGE', 'flag --image is required', {
      hint: 'name the container image that the job runs in, as in: --image=tensorflow/tensorflow:2.16.1-gpu',
    })
  }
  const sync = codeSync(flags)
  const timeout = durationSeconds(flags, 'running-timeout')
  const ttl = durationSeconds(flags, 'ttl-after-finished')
  const retries = count(flags, 'retry')
  const priority = flags.text('priority') ?? ''
  const scheduler = flags.text('scheduler') ?? ''
  return {
    name,
    namespace: defaults.namespace,
    image,
    command,
    shell: flags.text('shell') ?? 'sh',
    workingDirectory: flags.text('working-dir') || '/root',
    imagePullPolicy: oneOf(flags, 'image-pull-policy', ['Always', 'IfNotPresent', 'Never'], 'Always'),
    imagePullSecrets: flags.isGiven('image-pull-secret')
      ? flags.texts('image-pull-secret')
      : commaList(defaults.settings['imagePullSecrets']),
    environment: keyValues(flags, 'env', { checks: 'environment' }),
    labels: keyValues(flags, 'label', { checks: 'labels' }),
    annotations: keyValues(flags, 'annotation', { checks: 'annotations' }),
    nodeSelector: keyValues(flags, 'selector', { checks: 'labels' }),
    tolerations: tolerations(flags),
    gpus: count(flags, 'gpus'),
    devices: keyValues(flags, 'device', { checks: 'devices' }),
    ...(priority !== '' && { priorityClassName: priority }),
    ...(scheduler !== '' && { schedulerName: scheduler }),
    isGang: flags.flag('gang'),
    isQueued: flags.flag('queue'),
    usesRdma: flags.flag('rdma'),
    usesHostNetwork: flags.flag('hostNetwork'),
    usesHostIpc: flags.flag('hostIPC'),
    usesHostPids: flags.flag('hostPID'),
    sharedMemory: quantity(flags, 'share-memory') ?? '2Gi',
    claims: mounts(flags, 'data', { mustHavePath: true }),
    hostDirectories: mounts(flags, 'data-dir', { mustHavePath: false }),
    configFiles: mounts(flags, 'config-file', { mustHavePath: false }),
    ...(sync !== undefined && { sync }),
    cleanPodPolicy: oneOf(flags, 'clean-task-policy', ['None', 'Running', 'All'], 'Running'),
    ...(timeout > 0 && { runningTimeoutSeconds: timeout }),
    ...(ttl > 0 && { ttlSecondsAfterFinished: ttl }),
    ...(retries > 0 && { backoffLimit: retries }),
  }
}

/** A whole number that is not negative; 0 when the flag is not given. */
export function count(flags: FlagValues, flag: string): number {
  const value = flags.integer(flag) ?? 0
  if (value < 0) {
    throw new UserError('USAGE', `flag --${flag} is ${value}, which is less than 0`, {
      hint: 'give 0 or more, or leave it out',
    })
  }
  return value
}

const longestName = 49

function jobName(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longestName) return name
  throw new UserError('USAGE', `job name "${name}" cannot be used`, {
    hint: `use up to ${longestName} lower-case letters, digits and dashes, with a letter or digit at both ends`,
  })
}

function codeSync(flags: FlagValues): CodeSync | undefined {
  const mode = flags.text('sync-mode') ?? ''
  const source = flags.text('sync-source') ?? ''
  const image = flags.text('sync-image') ?? ''
  if (mode === '') {
    if (source === '') return undefined
    throw new UserError('USAGE', 'flag --sync-source is given, but not --sync-mode', {
      hint: 'add --sync-mode=git or --sync-mode=rsync',
    })
  }
  if (mode !== 'git' && mode !== 'rsync') {
    throw new UserError('USAGE', `flag --sync-mode has the value "${mode}"`, {
      hint: 'use one of: git, rsync',
    })
  }
  if (source === '') {
    throw new UserError('USAGE', `flag --sync-mode=${mode} needs --sync-source`, {
      hint:
        mode === 'git'
          ? 'as in: --sync-source=https://HOST/REPOSITORY.git'
          : 'as in: --sync-source=HOST::MODULE',
    })
  }
  return { mode, source, ...(image !== '' && { image }) }
}
