import type {
  AppArmorProfile,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
} from 'kubernetes-types/core/v1.js'
import {
  duplicate,
  type Fault,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../faults.ts'
import { optionalChoice } from '../checks.ts'
import { byteLength, linuxId } from '../names.ts'
import { localPath } from '../paths.ts'

/** Security settings of a container. */
export function validateSecurityContext(
  path: string,
  context: SecurityContext | undefined,
  hasHostUsers: boolean,
): Fault[] {
  if (!context) return []
  const faults = [
    ...idFaults(`${path}.runAsUser`, context.runAsUser),
    ...idFaults(`${path}.runAsGroup`, context.runAsGroup),
  ]
  const { procMount } = context
  faults.push(...optionalChoice(`${path}.procMount`, procMount, ['Default', 'Unmasked']))
  if (hasHostUsers && procMount === 'Unmasked') {
    faults.push(invalidValue(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  faults.push(...seccompFaults(`${path}.seccompProfile`, context.seccompProfile))
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      faults.push(
        invalidValue(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      )
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      faults.push(
        invalidValue(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      )
    }
  }
  return [...faults, ...appArmorFaults(`${path}.appArmorProfile`, context.appArmorProfile)]
}

/** Fields of a pod's security context that are younger than the typed API this program is built with. */
export type PodContext = PodSecurityContext & {
  supplementalGroupsPolicy?: string
  seLinuxChangePolicy?: string
}

interface Sharing {
  readonly hostNetwork?: boolean
  readonly hostIPC?: boolean
  readonly hostPID?: boolean
  readonly shareProcessNamespace?: boolean
}

/** Security settings of a pod, together with what it shares with its node. */
export function validatePodSecurityContext(
  path: string,
  context: PodContext | undefined,
  sharing: Sharing,
): Fault[] {
  const faults = [
    ...idFaults(`${path}.fsGroup`, context?.fsGroup),
    ...idFaults(`${path}.runAsUser`, context?.runAsUser),
    ...idFaults(`${path}.runAsGroup`, context?.runAsGroup),
    ...(context?.supplementalGroups ?? []).flatMap((id, index) =>
      idFaults(`${path}.supplementalGroups[${index}]`, id),
    ),
  ]
  if (sharing.shareProcessNamespace && sharing.hostPID) {
    faults.push(
      invalidValue(
        `${path}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    )
  }
  if (!context) return faults
  return [
    ...faults,
    ...sysctlFaults(`${path}.sysctls`, context.sysctls ?? [], sharing),
    ...optionalChoice(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, [
      'Always',
      'OnRootMismatch',
    ]),
    ...seccompFaults(`${path}.seccompProfile`, context.seccompProfile),
    ...appArmorFaults(`${path}.appArmorProfile`, context.appArmorProfile),
    ...optionalChoice(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, [
      'Merge',
      'Strict',
    ]),
    ...optionalChoice(`${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, [
      'MountOption',
      'Recursive',
    ]),
  ]
}

function idFaults(path: string, id: number | undefined): Fault[] {
  return id === undefined ? [] : linuxId(id).map((text) => invalidValue(path, id, text))
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

function seccompFaults(path: string, profile: SeccompProfile | undefined): Fault[] {
  if (!profile) return []
  const { type, localhostProfile: local } = profile
  const faults: Fault[] = []
  if (!type) faults.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else faults.push(...optionalChoice(`${path}.type`, type, profileTypes))
  if (type === 'Localhost') {
    if (local === undefined) {
      faults.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'))
    } else faults.push(...localPath(`${path}.localhostProfile`, local))
  } else if (local !== undefined) {
    faults.push(
      invalidValue(
        `${path}.localhostProfile`,
        { type: type ?? '', localhostProfile: local },
        'can only be set when seccomp type is Localhost',
      ),
    )
  }
  return faults
}

const longestProfilePath = 4095

function appArmorFaults(path: string, profile: AppArmorProfile | undefined): Fault[] {
  if (!profile) return []
  const { type, localhostProfile: local } = profile
  const at = `${path}.localhostProfile`
  if (!type) return [required(`${path}.type`, 'type is required when appArmorProfile is set')]
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)]
  if (type !== 'Localhost') {
    return local === undefined
      ? []
      : [invalidValue(at, local, 'can only be set when AppArmor type is Localhost')]
  }
  const faults: Fault[] = []
  if (local !== undefined && local.trim() !== local) {
    faults.push(invalidValue(at, local, 'must not be padded with whitespace'))
  } else if (!local) faults.push(required(at, 'must be set when AppArmor type is Localhost'))
  if (byteLength(local ?? '') > longestProfilePath) faults.push(tooLong(at, longestProfilePath))
  return faults
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlPattern = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`
const isSysctl = new RegExp(sysctlPattern)

function sysctlFaults(path: string, sysctls: readonly { name: string }[], sharing: Sharing): Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  for (const [index, { name = '' }] of sysctls.entries()) {
    const at = `${path}[${index}].name`
    if (!name) faults.push(required(at))
    else if (byteLength(name) > 253 || !isSysctl.test(name)) {
      faults.push(invalidValue(at, name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    } else if (names.has(name)) faults.push(duplicate(at, name))
    const dotted = name.replaceAll('/', '.')
    if (sharing.hostNetwork && dotted.startsWith('net.')) {
      faults.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"))
    } else if (sharing.hostIPC && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) {
      faults.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"))
    }
    names.add(name)
  }
  return faults
}

/** A pod with users of its own does not share the rest of its node either. */
export function validateHostUsers(path: string, spec: Sharing & { hostUsers?: boolean }): Fault[] {
  if (spec.hostUsers !== false) return []
  const text = 'when `pod.Spec.HostUsers` is false'
  const faults: Fault[] = []
  if (spec.hostNetwork) faults.push(forbiddenField(`${path}.hostNetwork`, text))
  if (spec.hostPID) faults.push(forbiddenField(`${path}.HostPID`, text))
  if (spec.hostIPC) faults.push(forbiddenField(`${path}.HostIPC`, text))
  return faults
}
