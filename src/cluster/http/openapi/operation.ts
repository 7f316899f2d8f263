import { type GroupVersion, type GroupVersionKind, metaPrefix, type Kinds } from './kinds.ts'
import { type Parameter, writeParameters } from './parameters.ts'

/** One operation, before it is written in the form of a document version. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch'
  readonly id: string
  readonly tag: string
  readonly action: string
  readonly description: string
  readonly gvk: GroupVersionKind
  readonly parameters: readonly Parameter[]
  /** Name of the schema of the body; absent for operations without one. */
  readonly body?: {
    readonly schema: string
    readonly mediaTypes: readonly string[]
    readonly isRequired: boolean
  }
  /** Status code -> name of the schema of the answer. */
  readonly answers: readonly (readonly [code: number, schema: string])[]
}

export interface PathItem {
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly operations: readonly Operation[]
}

export const patchName = `${metaPrefix}.Patch`
export const statusName = `${metaPrefix}.Status`
export const optionsName = `${metaPrefix}.DeleteOptions`

export const anyType: readonly string[] = ['*/*']

/** What the operations on one resource have in common. */
export interface Building {
  readonly gvk: GroupVersionKind
  /** Where operation ids begin behind their verb: `AppsV1`. */
  readonly stem: string
  readonly tag: string
  /** `Namespaced` or nothing. */
  readonly scope: string
  /** Name of the schema of one object. */
  readonly item: string
}

/** Undefined for a kind that has no schema: there is nothing to be said of it. */
export function building(
  kinds: Kinds,
  of: GroupVersionKind & { readonly namespaced: boolean },
): Building | undefined {
  const gvk = { group: of.group, version: of.version, kind: of.kind }
  const item = kinds.nameOf(gvk)
  if (item === undefined) return undefined
  return { gvk, ...idParts(of), scope: of.namespaced ? 'Namespaced' : '', item }
}

/** An operation that sends a whole object and gets it back. */
export function writing(
  build: Building,
  how: {
    method: 'post' | 'put'
    action: string
    verb: string
    codes: readonly number[]
    part?: string
    kind?: string
  },
): Operation {
  const kind = how.kind ?? build.gvk.kind
  const part = how.part ?? ''
  return operation(build, {
    method: how.method,
    action: how.action,
    id: `${how.verb}${build.stem}${build.scope}${kind}${part}`,
    description: `${how.verb} ${part === '' ? '' : `${part.toLowerCase()} of `}a ${kind}`,
    parameters: writeParameters,
    body: { schema: build.item, mediaTypes: anyType, isRequired: true },
    answers: how.codes.map((code) => [code, build.item] as const),
  })
}

export function operation(build: Building, rest: Omit<Operation, 'tag' | 'gvk'>): Operation {
  return { tag: build.tag, gvk: build.gvk, ...rest }
}

/** Parts of operation ids (`AppsV1`) and their tag (`apps_v1`). */
export function idParts(at: GroupVersion): { stem: string; tag: string } {
  const words = groupWords(at.group)
  const version = capitalized(at.version)
  return {
    stem: `${words}${version}`,
    tag: `${words.charAt(0).toLowerCase()}${words.slice(1)}_${at.version}`,
  }
}

/** `rbac.authorization.k8s.io` as operation ids have it: `RbacAuthorization`. */
function groupWords(group: string): string {
  if (group === '') return 'Core'
  const words = group.replace(/\.k8s\.io$/, '').split(/[.-]/)
  return words.map(capitalized).join('')
}

/** `/api/v1`, `/apis/apps/v1` */
export function groupPath({ group, version }: GroupVersion): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** `status` as operation ids have it: `Status`. */
export function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
