import type { Container, Pod } from '../../../kube/index.ts'

/** A check that a pod does not pass, in the words of kube-apiserver. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

type PodSpec = NonNullable<Pod['spec']> & { hostUsers?: boolean }

/** Of a container. */
export type SecurityContext = NonNullable<Container['securityContext']>

/** What a check looks at. */
export interface Subject {
  readonly spec: PodSpec
  readonly annotations: Readonly<Record<string, string>>
  readonly containers: readonly Container[]
  /** Minor version of the standard; Infinity for the newest. */
  readonly version: number
}

/** Names of the containers for which `isBad` holds; one without a security context is asked with an empty one. */
export function namesOf(
  subject: Subject,
  isBad: (context: SecurityContext, container: Container) => boolean,
): string[] {
  return subject.containers
    .filter((container) => isBad(container.securityContext ?? {}, container))
    .map((container) => container.name)
}

/** Checks of what Linux alone has do not hold for Windows. */
export function isWindows({ spec, version }: Subject): boolean {
  return version >= 25 && spec.os?.name === 'windows'
}

/** Root in a user namespace of its own is nobody on the node. */
export function isUserNamespaced({ spec, version }: Subject): boolean {
  return version >= 35 && spec.hostUsers === false
}
