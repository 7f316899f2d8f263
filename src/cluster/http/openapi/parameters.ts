/** A parameter of an operation in the query or path. */
export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description: string
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
})

export const pretty = query('pretty', 'string', 'If "true", the output is indented.')
const dryRun = query(
  'dryRun',
  'string',
  'With "All" the request is carried out in full, but nothing is stored.',
)
const fieldManager = query(
  'fieldManager',
  'string',
  'Name of the one who makes the changes, for metadata.managedFields; at most 128 printable characters.',
)
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What to do about unknown and duplicate fields: Ignore them, Warn of them (default), or refuse the request (Strict).',
)
const force = query(
  'force',
  'boolean',
  'Server-side apply only: takes over fields that other managers own with other values.',
)

const labelSelector = query('labelSelector', 'string', 'Restricts the objects by their labels.')
const fieldSelector = query('fieldSelector', 'string', 'Restricts the objects by their fields.')
const resourceVersion = query('resourceVersion', 'string', 'Which state is asked for; the newest if unset.')
const resourceVersionMatch = query(
  'resourceVersionMatch',
  'string',
  'How resourceVersion is meant: NotOlderThan or Exact.',
)
const limit = query('limit', 'integer', 'The most objects to return; the answer tells how to go on.')
const goOn = query('continue', 'string', 'Where to go on, from the answer before.')
const timeoutSeconds = query('timeoutSeconds', 'integer', 'Time after which a list or watch ends.')
const sendInitialEvents = query(
  'sendInitialEvents',
  'boolean',
  'Begins a watch with the objects that are there, and marks the end of these by a bookmark.',
)
const watch = query('watch', 'boolean', 'Returns the changes as they happen instead of a list.')
const allowWatchBookmarks = query('allowWatchBookmarks', 'boolean', 'Asks for events of type BOOKMARK.')

export const writeParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation]
export const patchParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation, force]
export const listParameters: readonly Parameter[] = [
  allowWatchBookmarks,
  goOn,
  fieldSelector,
  labelSelector,
  limit,
  pretty,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  timeoutSeconds,
  watch,
]
export const deleteParameters: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds before the object is gone; zero means at once.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]
export const deleteCollectionParameters: readonly Parameter[] = [
  goOn,
  ...deleteParameters,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  timeoutSeconds,
]

const inPath = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  type: 'string',
  description,
})
export const nameOf = (kind: string): Parameter => inPath('name', `name of the ${kind}`)
export const namespaceParameter = inPath(
  'namespace',
  'object name and auth scope, such as for teams and projects',
)
