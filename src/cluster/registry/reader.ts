import type { KubeObject } from '../../kube/index.ts'

/**
 * What authorisation and admission may read: durable objects, without authorisation of their own, from memory.
 * Shared objects: never change them.
 */
export interface Reader {
  /** `resource` is `group/plural`, as in `/pods` for the core group and `rbac.authorization.k8s.io/roles`. */
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined
  list(resource: string, namespace?: string): Iterable<KubeObject>
  /** Number of objects; cheap. */
  count(resource: string, namespace?: string): number
  /** Grows whenever any object of the resource changes: compare it to keep a cache honest. */
  version(resource: string): number
}

/** Writes on behalf of the server itself (quota usage, token secrets), without authorisation or admission. */
export interface Writer {
  /**
   * Reads the newest form of an object, lets `change` make the next one, and writes it unless another write came
   * between, in which case it starts again. `change` returns undefined to leave the object alone; it may throw.
   *
   * @throws {StatusError} `NotFound` when the object does not exist.
   */
  update(
    resource: string,
    namespace: string | undefined,
    name: string,
    change: (current: KubeObject) => KubeObject | undefined,
  ): Promise<KubeObject>
}
