import { badRequest, invalid, type JsonObject } from '../../kube/index.ts'
import {
  type DeleteOptions,
  type Fault,
  invalidValue,
  notSupported,
  parseSelection,
  type ResourceDefinition,
  type Selection,
} from '../registry/index.ts'
import { isTrue } from './target.ts'
import { versionFaults } from './version-match.ts'

/** Query parameters of lists, watches and collection deletes (`metav1.ListOptions`). */
export interface ListQuery {
  readonly selection: Selection
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  readonly sendInitialEvents?: boolean
  readonly allowBookmarks: boolean
  readonly timeoutSeconds?: number
}

/**
 * @throws {StatusError} `BadRequest` or `Invalid`.
 */
export function readListQuery(
  resource: ResourceDefinition,
  query: URLSearchParams,
  { isWatch }: { readonly isWatch: boolean } = { isWatch: false },
): ListQuery {
  const limit = integer(query, 'limit')
  const timeoutSeconds = integer(query, 'timeoutSeconds')
  const text = (name: string): string | undefined => query.get(name) ?? undefined
  const [next, resourceVersion, match] = ['continue', 'resourceVersion', 'resourceVersionMatch'].map(text)
  const sendInitialEvents = query.has('sendInitialEvents')
    ? isTrue(query.get('sendInitialEvents'))
    : undefined
  const faults = versionFaults({ isWatch, match, resourceVersion, next, sendInitialEvents })
  if (faults.length > 0) throw invalid({ kind: 'ListOptions', group: 'meta.k8s.io' }, faults)
  return {
    selection: parseSelection(resource, text('labelSelector'), text('fieldSelector')),
    ...(limit !== undefined && { limit }),
    ...(next && { continue: next }),
    ...(resourceVersion && { resourceVersion }),
    ...(match && { resourceVersionMatch: match }),
    ...(sendInitialEvents !== undefined && { sendInitialEvents }),
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  }
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** Options of a write that come in the query: dry run, manager, field validation. */
export interface WriteQuery {
  readonly dryRun: boolean
  readonly fieldManager: string
  /** The manager as the query named it; server-side apply insists on one. */
  readonly namedManager: string | undefined
  /** The validation as the query named it. */
  readonly namedValidation: string | undefined
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  readonly force: boolean
}

/**
 * @param optionsKind `CreateOptions`, `UpdateOptions` or `PatchOptions`, for messages.
 * @throws {StatusError} `Invalid`.
 */
export function readWriteQuery(
  optionsKind: string,
  query: URLSearchParams,
  userAgent: string | undefined,
  isApply: boolean,
): WriteQuery {
  const faults: Fault[] = []
  const dryRun = query.getAll('dryRun').filter((one) => one !== '')
  for (const one of dryRun) if (one !== 'All') faults.push(notSupported('dryRun', dryRun, ['All']))
  const manager = query.get('fieldManager') ?? undefined
  if (manager && manager.length > 128)
    faults.push({
      field: 'fieldManager',
      reason: 'FieldValueTooLong',
      message: 'Too long: may not be more than 128 bytes',
    })
  else if (manager && /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/u.test(manager))
    faults.push(invalidValue('fieldManager', manager, 'should only contain printable characters'))
  if (isApply && !manager)
    faults.push({
      field: 'fieldManager',
      reason: 'FieldValueRequired',
      message: 'Required value: is required for apply patch',
    })
  if (!isApply && optionsKind === 'PatchOptions' && query.has('force'))
    faults.push({
      field: 'force',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: may not be specified for non-apply patch',
    })
  const validation = query.get('fieldValidation') ?? ''
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation))
    faults.push(notSupported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn', '']))
  if (faults.length > 0) throw invalid({ kind: optionsKind, group: 'meta.k8s.io' }, faults)
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager || managerOf(userAgent),
    namedManager: manager,
    namedValidation: validation || undefined,
    fieldValidation: validation === 'Ignore' || validation === 'Strict' ? validation : 'Warn',
    force: isTrue(query.get('force')),
  }
}

/** Without a named manager the program's name in its user agent is one. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0]?.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/gu, '') ?? ''
  return name.slice(0, 128) || 'unknown'
}

/**
 * `DeleteOptions` from the body, else from the query. `leavesNoOrphans`: in the old words, `orphanDependents: false`.
 *
 * @throws {StatusError} `Invalid`.
 */
export function readDeleteOptions(
  query: URLSearchParams,
  body: JsonObject | undefined,
): DeleteOptions & { readonly dryRun: boolean; readonly leavesNoOrphans: boolean } {
  const given = body ?? {}
  const faults: Fault[] = []
  const policy = given['propagationPolicy'] ?? query.get('propagationPolicy')
  const orphan =
    given['orphanDependents'] ??
    (query.has('orphanDependents') ? isTrue(query.get('orphanDependents')) : undefined)
  const hasPolicy = policy !== null && policy !== undefined
  if (hasPolicy && orphan !== undefined && orphan !== null)
    faults.push(
      invalidValue(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    )
  if (hasPolicy && !isPolicy(policy))
    faults.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']))
  const dryRun = Array.isArray(given['dryRun'])
    ? given['dryRun']
    : query.getAll('dryRun').filter((one) => one !== '')
  for (const one of dryRun) if (one !== 'All') faults.push(notSupported('dryRun', dryRun, ['All']))
  const asked = given['gracePeriodSeconds'] ?? integer(query, 'gracePeriodSeconds')
  // Kubernetes takes a grace below zero for one second.
  const grace = typeof asked === 'number' && asked < 0 ? 1 : asked
  if (faults.length > 0) throw invalid({ kind: 'DeleteOptions', group: 'meta.k8s.io' }, faults)
  const preconditions = preconditionsOf(given['preconditions'])
  return {
    dryRun: dryRun.length > 0,
    leavesNoOrphans: orphan === false,
    ...(typeof grace === 'number' && { gracePeriodSeconds: grace }),
    ...(isPolicy(policy)
      ? { propagationPolicy: policy }
      : typeof orphan === 'boolean' && {
          propagationPolicy: orphan ? ('Orphan' as const) : ('Background' as const),
        }),
    ...(preconditions && { preconditions }),
  }
}

function isPolicy(value: unknown): value is 'Orphan' | 'Background' | 'Foreground' {
  return value === 'Orphan' || value === 'Background' || value === 'Foreground'
}

function preconditionsOf(value: unknown): DeleteOptions['preconditions'] {
  if (typeof value !== 'object' || value === null) return undefined
  const { uid, resourceVersion } = value as { uid?: unknown; resourceVersion?: unknown }
  return {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  }
}
