import type { Container, Persisted, Pod } from '../../../../kube/index.ts'
import { ContainerRefused, type Identity, type Notice } from '../../runtime.ts'

/** The user and group that own nothing: what a container gets that asks for none. */
const nobody = 65534

export interface IdentityOptions {
  /** May a container be root of this machine? */
  readonly allowRoot: boolean
  /** Groups that the pod's volumes bring along. */
  readonly volumeGroups: readonly number[]
}

/**
 * Whom a container runs as on this machine. There is no image whose user could be meant, and user 0 would be the
 * machine's root: a container that names no user is nobody.
 *
 * @throws {ContainerRefused} for root and for what no process here may have.
 */
export function identityOf(
  pod: Persisted<Pod>,
  container: Container,
  options: IdentityOptions,
): { identity: Identity; notices: Notice[] } {
  const whole = pod.spec?.securityContext ?? {}
  const own = container.securityContext ?? {}
  const uid = own.runAsUser ?? whole.runAsUser ?? nobody
  const gid = own.runAsGroup ?? whole.runAsGroup ?? nobody
  const groups = [
    ...(whole.fsGroup === undefined ? [] : [whole.fsGroup]),
    ...(whole.supplementalGroups ?? []),
    ...options.volumeGroups,
  ]
  const podName = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`
  if (pod.spec?.hostPID === true || pod.spec?.hostIPC === true) {
    throw new ContainerRefused(
      'CreateContainerConfigError',
      "the pod asks for the machine's processes (hostPID, hostIPC): they are never shared here",
      { isFinal: true },
    )
  }
  if ((own.runAsNonRoot ?? whole.runAsNonRoot) === true && uid === 0) {
    throw refused(
      `container's runAsUser breaks non-root policy (pod: "${podName}", container: ${container.name})`,
    )
  }
  if (own.privileged === true) {
    throw refused(`container "${container.name}" is privileged: processes of this machine cannot be`)
  }
  if (!options.allowRoot && (uid === 0 || gid === 0 || groups.includes(0))) {
    throw refused(
      `container "${container.name}" asks for user or group 0, which would be root on this machine; set another runAsUser and runAsGroup, or allowRoot in the cluster file`,
    )
  }
  const notices =
    own.runAsUser === undefined && whole.runAsUser === undefined
      ? [
          {
            reason: 'RunsAsNobody',
            message: `runAsUser is not set: container "${container.name}" runs as user ${nobody} (nobody) of this machine`,
          },
        ]
      : []
  return { identity: { uid, gid, groups: [...new Set(groups)].filter((id) => id !== gid) }, notices }
}

function refused(message: string): ContainerRefused {
  return new ContainerRefused('CreateContainerConfigError', message)
}
