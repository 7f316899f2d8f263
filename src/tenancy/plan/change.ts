import type { ResourceType } from '../../kube/index.ts'
import type { Writer } from './live.ts'

export type Action = 'create' | 'update' | 'replace' | 'adopt' | 'delete'

/** One object that must change, and what that means for people. */
export interface Change {
  readonly action: Action
  readonly type: ResourceType
  readonly namespace?: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** What happens, in words of the organisation: `bob gains the role member in dev1`. */
  readonly meaning: string
  /** Fields that differ: `spec.hard.requests.cpu: 4 -> 8`. */
  readonly details: readonly string[]
  /** Who wrote to the object last beside arena, as far as the object itself tells. */
  readonly lastWriter?: Writer
  /** What is lost, when something is; needs the admin's consent. */
  readonly loss?: string
  /** The file still gives it, until a day that has passed. */
  readonly hasExpired?: boolean
  /** A role goes from somebody who keeps another one there, or gets it by the same plan. */
  readonly isExchange?: boolean
  /** The object as it should be; absent for deletions. */
  readonly object?: object
  /** The object that is there now, so that no other one is changed in its place. */
  readonly uid?: string
  /** Fields to take away that server-side apply would leave alone. */
  readonly surplus?: readonly (readonly string[])[]
}

/** Something that stands in the way. */
export interface Conflict {
  readonly type: ResourceType
  readonly namespace?: string
  readonly name: string
  readonly message: string
  readonly hint: string
}

/** `serviceaccount dev1/bob`: an object as messages name it. */
export function nameOf(object: Pick<Change, 'type' | 'namespace' | 'name'>): string {
  const place = object.namespace === undefined ? '' : `${object.namespace}/`
  return `${object.type.kind} ${place}${object.name}`
}

/** Tells objects of all kinds apart. */
export function keyOf(object: { type: ResourceType; namespace?: string; name: string }): string {
  return `${object.type.group}/${object.type.plural}|${object.namespace ?? ''}|${object.name}`
}
