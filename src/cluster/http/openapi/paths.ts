import type { ResourceDefinition, Subresource, Verb, VirtualResource } from '../../registry/index.ts'
import {
  type GroupVersion,
  type GroupVersionKind,
  metaPrefix,
  type Kinds,
  type OpenApiSource,
} from './kinds.ts'
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  nameOf,
  namespaceParameter,
  type Parameter,
  patchParameters,
  pretty,
  writeParameters,
} from './parameters.ts'

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

/** Every path under a group and version, sorted. */
export function pathsOf(source: OpenApiSource, kinds: Kinds, at: GroupVersion): PathItem[] {
  const isHere = (one: GroupVersion): boolean => one.group === at.group && one.version === at.version
  const definitions = source.definitions().filter(isHere)
  const items = [
    ...definitions.flatMap((definition) => resourcePaths(kinds, definition)),
    ...source
      .virtualResources()
      .filter(isHere)
      .flatMap((virtual) => virtualPaths(kinds, virtual)),
    ...source.subresources().flatMap((subresource) => {
      const parent = definitions.find(
        ({ group, plural }) => group === subresource.group && plural === subresource.parent,
      )
      return parent ? subresourcePaths(kinds, parent, subresource) : []
    }),
  ]
  return items.filter(({ operations }) => operations.length > 0).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Names of the schemas that the paths use. */
export function schemasOf(items: readonly PathItem[]): Set<string> {
  const names = new Set<string>()
  for (const { operations } of items)
    for (const { body, answers } of operations) {
      if (body) names.add(body.schema)
      for (const [, schema] of answers) names.add(schema)
    }
  return names
}

export const patchName = `${metaPrefix}.Patch`
const statusName = `${metaPrefix}.Status`
const optionsName = `${metaPrefix}.DeleteOptions`

const root = ({ group, version }: GroupVersion): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** `rbac.authorization.k8s.io` as operation ids have it: `RbacAuthorization`. */
function groupWords(group: string): string {
  if (group === '') return 'Core'
  const words = group.replace(/\.k8s\.io$/, '').split(/[.-]/)
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function idParts(at: GroupVersion): { stem: string; tag: string } {
  const words = groupWords(at.group)
  const version = at.version.charAt(0).toUpperCase() + at.version.slice(1)
  return {
    stem: `${words}${version}`,
    tag: `${words.charAt(0).toLowerCase()}${words.slice(1)}_${at.version}`,
  }
}

interface Building {
  readonly kinds: Kinds
  readonly gvk: GroupVersionKind
  readonly stem: string
  readonly tag: string
  /** `Namespaced` or nothing. */
  readonly scope: string
  readonly item: string
}

function building(
  kinds: Kinds,
  of: GroupVersionKind & { readonly namespaced: boolean },
): Building | undefined {
  const gvk = { group: of.group, version: of.version, kind: of.kind }
  const item = kinds.nameOf(gvk)
  if (item === undefined) return undefined
  return { kinds, gvk, ...idParts(of), scope: of.namespaced ? 'Namespaced' : '', item }
}

function resourcePaths(kinds: Kinds, definition: ResourceDefinition): PathItem[] {
  const build = building(kinds, definition)
  if (!build) return []
  const { gvk, item } = build
  const has = (verb: Verb): boolean => definition.verbs?.includes(verb) ?? true
  const { kind } = gvk
  const list = kinds.nameOf({ ...gvk, kind: `${kind}List` })
  const place = definition.namespaced ? '/namespaces/{namespace}' : ''
  const path = `${root(gvk)}${place}/${definition.plural}`
  const scope = [...(definition.namespaced ? [namespaceParameter] : []), pretty]
  const listing = (id: string): Operation[] =>
    list && has('list')
      ? [
          operation(build, {
            method: 'get',
            action: 'list',
            id,
            description: `list objects of kind ${kind}`,
            parameters: listParameters,
            answers: [[200, list]],
          }),
        ]
      : []
  const collection: Operation[] = listing(`list${build.stem}${build.scope}${kind}`)
  if (has('create'))
    collection.push(
      writing(build, { method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
    )
  if (has('deletecollection'))
    collection.push(
      operation(build, {
        method: 'delete',
        action: 'deletecollection',
        id: `delete${build.stem}Collection${build.scope}${kind}`,
        description: `delete collection of ${kind}`,
        parameters: deleteCollectionParameters,
        body: { schema: optionsName, mediaTypes: anyType, isRequired: false },
        answers: [[200, statusName]],
      }),
    )
  const items: PathItem[] = [
    { path, parameters: scope, operations: collection },
    {
      path: `${path}/{name}`,
      parameters: [nameOf(kind), ...scope],
      operations: objectOperations(build, definition, ''),
    },
  ]
  if (definition.namespaced)
    items.push({
      path: `${root(gvk)}/${definition.plural}`,
      parameters: [],
      operations: listing(`list${build.stem}${kind}ForAllNamespaces`),
    })
  for (const view of [...(definition.hasStatus ? ['status'] : []), ...Object.keys(definition.views ?? {})])
    items.push({
      path: `${path}/{name}/${view}`,
      parameters: [nameOf(kind), ...scope],
      operations: objectOperations(
        { ...build, item },
        definition,
        view.charAt(0).toUpperCase() + view.slice(1),
      ).filter(({ method }) => method !== 'delete'),
    })
  if (definition.scale) {
    const scale = building(kinds, {
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      namespaced: definition.namespaced,
    })
    if (scale)
      items.push({
        path: `${path}/{name}/scale`,
        parameters: [nameOf('Scale'), ...scope],
        operations: objectOperations(
          { ...scale, stem: build.stem, tag: build.tag },
          { ...definition, kind },
          'Scale',
        ).filter(({ method }) => method !== 'delete'),
      })
  }
  return items
}

/** Read, replace, patch and delete of one object, or of one of its subresources. */
function objectOperations(build: Building, definition: ResourceDefinition, part: string): Operation[] {
  const has = (verb: Verb): boolean => definition.verbs?.includes(verb) ?? true
  const { kind } = definition
  const id = (verb: string): string => `${verb}${build.stem}${build.scope}${kind}${part}`
  const result: Operation[] = []
  if (has('get'))
    result.push(
      operation(build, {
        method: 'get',
        action: 'get',
        id: id('read'),
        description: `read the specified ${kind}`,
        parameters: [],
        answers: [[200, build.item]],
      }),
    )
  if (has('update'))
    result.push(
      writing(build, { method: 'put', action: 'put', verb: 'replace', codes: [200, 201], part, kind }),
    )
  if (has('patch'))
    result.push(
      operation(build, {
        method: 'patch',
        action: 'patch',
        id: id('patch'),
        description: `partially update the specified ${kind}`,
        parameters: patchParameters,
        body: {
          schema: patchName,
          mediaTypes: definition.isCustom
            ? patchTypes.filter((type) => !type.includes('strategic'))
            : patchTypes,
          isRequired: true,
        },
        answers: [
          [200, build.item],
          [201, build.item],
        ],
      }),
    )
  if (has('delete'))
    result.push(
      operation(build, {
        method: 'delete',
        action: 'delete',
        id: id('delete'),
        description: `delete the specified ${kind}`,
        parameters: deleteParameters,
        body: { schema: optionsName, mediaTypes: anyType, isRequired: false },
        answers: [
          [200, definition.deleteReturnsObject ? build.item : statusName],
          [202, definition.deleteReturnsObject ? build.item : statusName],
        ],
      }),
    )
  return result
}

function virtualPaths(kinds: Kinds, virtual: VirtualResource): PathItem[] {
  const build = building(kinds, virtual)
  if (!build) return []
  const place = virtual.namespaced ? '/namespaces/{namespace}' : ''
  return [
    {
      path: `${root(virtual)}${place}/${virtual.plural}`,
      parameters: [...(virtual.namespaced ? [namespaceParameter] : []), pretty],
      operations: [
        writing(build, { method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
      ],
    },
  ]
}

function subresourcePaths(kinds: Kinds, parent: ResourceDefinition, subresource: Subresource): PathItem[] {
  const body = {
    group: subresource.bodyGroup ?? parent.group,
    version: subresource.bodyVersion ?? parent.version,
    kind: subresource.kind,
  }
  const build = building(kinds, { ...body, namespaced: subresource.namespaced })
  if (!build) return []
  const { stem, tag } = idParts(parent)
  const named = { ...build, stem, tag }
  const part = subresource.name.charAt(0).toUpperCase() + subresource.name.slice(1)
  const place = subresource.namespaced ? '/namespaces/{namespace}' : ''
  const operations: Operation[] = []
  if (subresource.get)
    operations.push(
      operation(named, {
        method: 'get',
        action: 'get',
        id: `read${stem}${build.scope}${parent.kind}${part}`,
        description: `read ${subresource.name} of the specified ${parent.kind}`,
        parameters: [],
        answers: [[200, build.item]],
      }),
    )
  const write = { part, kind: parent.kind }
  if (subresource.create)
    operations.push(
      writing(named, { ...write, method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
    )
  if (subresource.update)
    operations.push(
      writing(named, { ...write, method: 'put', action: 'put', verb: 'replace', codes: [200, 201] }),
    )
  return [
    {
      path: `${root(parent)}${place}/${parent.plural}/{name}/${subresource.name}`,
      parameters: [nameOf(parent.kind), ...(subresource.namespaced ? [namespaceParameter] : []), pretty],
      operations,
    },
  ]
}

const anyType: readonly string[] = ['*/*']
const patchTypes: readonly string[] = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

function writing(
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

function operation(build: Building, rest: Omit<Operation, 'tag' | 'gvk'>): Operation {
  return { tag: build.tag, gvk: build.gvk, ...rest }
}
