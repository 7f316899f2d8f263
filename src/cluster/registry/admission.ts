import type { JsonObject, KubeObject } from '../../kube/index.ts'
import type { ResourceRequest } from './request.ts'

/** What a request does, as admission and policies call it. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** What admission decides about. `object` is the request's own copy; `oldObject` is shared and never changed. */
export interface Admission {
  readonly operation: Operation
  readonly request: ResourceRequest
  /** Absent on DELETE. On CONNECT the options object (`PodExecOptions`). */
  readonly object?: KubeObject
  /** Absent on CREATE and CONNECT. */
  readonly oldObject?: KubeObject
  /** `CreateOptions`, `DeleteOptions`, ... as JSON. */
  readonly options?: JsonObject
}

/**
 * The mutating steps of one request. They run once; a step that changes an object in ways that others may have a word on
 * asks for a second turn of all of them, and there is no third.
 */
export interface Turn {
  readonly isSecond: boolean
  wantsSecond(): void
}

/**
 * One step of admission; one file each under `admission/`. Mutating steps of all admitters run first, in table order,
 * then defaulting and validation of the object, then the validating steps. Quota is last in the table: what it
 * charges must not be refused by anyone after it.
 */
export interface Admitter {
  readonly name: string
  /** Changes `admission.object`. @throws {StatusError} to refuse. */
  mutate?(admission: Admission, turn: Turn): Promise<void> | void
  /** @throws {StatusError} to refuse. */
  validate?(admission: Admission): Promise<void> | void
}
