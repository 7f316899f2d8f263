import type { ResourceDefinition, Verb } from '../../registry/index.ts'
import type { Kinds } from './kinds.ts'
import {
  anyType,
  type Building,
  building,
  capitalized,
  groupPath,
  type Operation,
  operation,
  optionsName,
  type PathItem,
  patchName,
  statusName,
  writing,
} from './operation.ts'
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  nameOf,
  namespaceParameter,
  patchParameters,
  pretty,
} from './parameters.ts'

/** A resource: its collection, its objects, and the views of them that are its own. */
export function resourcePaths(kinds: Kinds, definition: ResourceDefinition): PathItem[] {
  const build = building(kinds, definition)
  if (!build) return []
  const { gvk, stem, tag } = build
  const { kind, namespaced, plural } = definition
  const place = namespaced ? '/namespaces/{namespace}' : ''
  const path = `${groupPath(gvk)}${place}/${plural}`
  const scope = [...(namespaced ? [namespaceParameter] : []), pretty]
  const list = kinds.nameOf({ ...gvk, kind: `${kind}List` })
  const items: PathItem[] = [
    { path, parameters: scope, operations: collectionOperations(build, definition, list) },
    {
      path: `${path}/{name}`,
      parameters: [nameOf(kind), ...scope],
      operations: objectOperations(build, definition, ''),
    },
  ]
  if (namespaced)
    items.push({
      path: `${groupPath(gvk)}/${plural}`,
      parameters: [],
      operations: listing(build, definition, list, `list${stem}${kind}ForAllNamespaces`),
    })
  for (const view of [...(definition.hasStatus ? ['status'] : []), ...Object.keys(definition.views ?? {})])
    items.push({
      path: `${path}/{name}/${view}`,
      parameters: [nameOf(kind), ...scope],
      operations: viewOperations(build, definition, capitalized(view)),
    })
  const scale = definition.scale && building(kinds, { ...scaleKind, namespaced })
  if (scale)
    items.push({
      path: `${path}/{name}/scale`,
      parameters: [nameOf('Scale'), ...scope],
      operations: viewOperations({ ...scale, stem, tag }, definition, 'Scale'),
    })
  return items
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

function has({ verbs }: ResourceDefinition, verb: Verb): boolean {
  return verbs?.includes(verb) ?? true
}

function listing(
  build: Building,
  definition: ResourceDefinition,
  list: string | undefined,
  id: string,
): Operation[] {
  if (list === undefined || !has(definition, 'list')) return []
  return [
    operation(build, {
      method: 'get',
      action: 'list',
      id,
      description: `list objects of kind ${definition.kind}`,
      parameters: listParameters,
      answers: [[200, list]],
    }),
  ]
}

/** List, create and delete of all objects in one place. `list` is the name of the schema of a list. */
function collectionOperations(
  build: Building,
  definition: ResourceDefinition,
  list: string | undefined,
): Operation[] {
  const { stem, scope } = build
  const { kind } = definition
  const operations = listing(build, definition, list, `list${stem}${scope}${kind}`)
  if (has(definition, 'create'))
    operations.push(
      writing(build, { method: 'post', action: 'post', verb: 'create', codes: [200, 201, 202] }),
    )
  if (has(definition, 'deletecollection'))
    operations.push(
      operation(build, {
        method: 'delete',
        action: 'deletecollection',
        id: `delete${stem}Collection${scope}${kind}`,
        description: `delete collection of ${kind}`,
        parameters: deleteCollectionParameters,
        body: { schema: optionsName, mediaTypes: anyType, isRequired: false },
        answers: [[200, statusName]],
      }),
    )
  return operations
}

/** Views are parts of an object: they are read and written, and go with it. */
function viewOperations(build: Building, definition: ResourceDefinition, part: string): Operation[] {
  return objectOperations(build, definition, part).filter(({ method }) => method !== 'delete')
}

/** Read, replace, patch and delete of one object, or of one of its subresources. */
function objectOperations(build: Building, definition: ResourceDefinition, part: string): Operation[] {
  const { kind } = definition
  const id = (verb: string): string => `${verb}${build.stem}${build.scope}${kind}${part}`
  const result: Operation[] = []
  if (has(definition, 'get'))
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
  if (has(definition, 'update'))
    result.push(
      writing(build, { method: 'put', action: 'put', verb: 'replace', codes: [200, 201], part, kind }),
    )
  if (has(definition, 'patch'))
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
  if (has(definition, 'delete'))
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

const patchTypes: readonly string[] = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]
