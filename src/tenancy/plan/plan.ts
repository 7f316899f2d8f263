import type { KubeClient, ObjectMeta } from '../../kube/index.ts'
import { type DesiredObject, desiredObjects } from '../objects/desired.ts'
import { labels, manager } from '../objects/ownership.ts'
import type { Org } from '../org.ts'
import { type Change, type Conflict, keyOf, nameOf } from './change.ts'
import { deletions } from './deletions.ts'
import { describeDifference, type Difference, differences } from './difference.ts'
import { jobEffects } from './effects.ts'
import { fieldsOf } from './fields.ts'
import { exactPaths, needsReplacement, withLiveClaimSize } from './immutable.ts'
import { holderOf, type Live, type LiveObject, readLive } from './live.ts'
import { isSupporting, meaningOf } from './meaning.ts'

/** What has to change so that the cluster is as the organisation file says. */
export interface Plan {
  readonly organisation: string
  readonly changes: readonly Change[]
  readonly conflicts: readonly Conflict[]
  /** Running jobs that the changes touch, in words. */
  readonly effects: readonly string[]
  /** Number of objects that are right already. */
  readonly unchanged: number
}

/** What a plan takes into account beside the file. */
export interface PlanOptions {
  readonly now: Date
  /** Take over objects of the needed names that nobody manages. */
  readonly adopt?: boolean
  readonly signal?: AbortSignal
}

/**
 * Lists the changes that would bring the cluster in line with an organisation file. Reads only.
 *
 * @example
 * ```ts
 * const plan = await planOrg(await readOrgFile('org.yaml'), client, { now: new Date() })
 * for (const change of plan.changes) console.log(change.action, change.meaning)
 * ```
 */
export async function planOrg(org: Org, client: KubeClient, options: PlanOptions): Promise<Plan> {
  const desired = desiredObjects(org, options.now)
  const live = await readLive(client, org.name, desired, options.signal)
  const plan = comparePlan(org, desired, live, options)
  // Quotas of groups that are new count nothing yet.
  const touching = plan.changes.filter(({ action }) => action !== 'create')
  return { ...plan, effects: await jobEffects(touching, client, options.signal) }
}

/** Compares what is asked for with what is there. Pure. */
export function comparePlan(
  org: Org,
  desired: readonly DesiredObject[],
  live: Live,
  options: Pick<PlanOptions, 'now' | 'adopt'>,
): Plan {
  const changes: Change[] = []
  const conflicts: Conflict[] = []
  for (const object of desired) {
    const key = keyOf(object)
    const owned = live.owned.get(key)
    const foreign = live.foreign.get(key)
    const result =
      owned !== undefined
        ? compareOwned(object, owned, live)
        : foreign !== undefined
          ? compareForeign(object, foreign, options)
          : change('create', object, [])
    if (result === undefined) continue
    if ('hint' in result) conflicts.push(result)
    else changes.push(result)
  }
  replaceClaimsOfReplacedVolumes(changes, desired, live)
  const unchanged = desired.length - conflicts.length - changes.length
  changes.push(...deletions(org, desired, live, options.now))
  return { organisation: org.name, changes, conflicts, effects: [], unchanged }
}

function change(
  action: Change['action'],
  object: DesiredObject,
  details: readonly string[],
  more: Pick<Change, 'uid' | 'loss' | 'surplus' | 'object' | 'lastWriter'> = {},
): Change {
  const { type, name, namespace } = object
  return {
    action,
    type,
    name,
    labels: object.labels,
    ...(namespace !== undefined && { namespace }),
    meaning: meaningOf({ action, type, name, labels: object.labels }, object.object),
    details,
    object: object.object,
    ...more,
  }
}

function compareOwned(object: DesiredObject, live: LiveObject, all: Live): Change | Conflict | undefined {
  const writer = lastWriter(live.metadata)
  const uid = { uid: live.metadata.uid ?? '', ...(writer && { lastWriter: writer }) }
  if (live.metadata.deletionTimestamp !== undefined) {
    return conflict(object, 'is being deleted', 'wait until it is gone, then run this again')
  }
  const wanted = withLiveClaimSize(object, live)
  const found = differences(bodyOf(wanted), live.object, exactPaths).concat(
    staleNotes(object, live),
    staleClaim(object, live, all),
  )
  if (found.length === 0) return undefined
  const details = found.map(describeDifference)
  const verdict = needsReplacement(object, live, found)
  if (verdict === 'impossible') {
    return conflict(
      object,
      'cannot be made smaller',
      'keep the size, or define a new volume and copy the data',
    )
  }
  if (verdict === 'replace') {
    const loss = isSupporting({ ...object, action: 'replace' })
      ? undefined
      : `${nameOf(object)} is made anew; jobs that use it must end first`
    return change('replace', object, details, { ...uid, ...(loss !== undefined && { loss }) })
  }
  const surplus = found.filter((each) => each.desired === undefined).map((each) => each.path)
  return change('update', wanted, details, { ...uid, ...(surplus.length > 0 && { surplus }) })
}

/** A volume goes only after its claim has gone, so both are made anew together. */
function replaceClaimsOfReplacedVolumes(
  changes: Change[],
  desired: readonly DesiredObject[],
  live: Live,
): void {
  for (const volume of changes.filter(
    (each) => each.type.kind === 'PersistentVolume' && each.action === 'replace',
  )) {
    const isItsClaim = (object: { type: { kind: string }; namespace?: string; name: string }): boolean =>
      object.type.kind === 'PersistentVolumeClaim' &&
      object.name === volume.name &&
      object.namespace === volume.labels[labels.group]
    const claim = desired.find(isItsClaim)
    const index = changes.findIndex(isItsClaim)
    const there = claim === undefined ? undefined : live.owned.get(keyOf(claim))
    if (claim === undefined || there === undefined || changes[index]?.action === 'replace') continue
    const replacement = change('replace', claim, volume.details, {
      uid: there.metadata.uid ?? '',
      loss: `${nameOf(claim)} is made anew; jobs that use it must end first`,
    })
    if (index < 0) changes.push(replacement)
    else changes[index] = replacement
  }
}

/** The newest entry of somebody else in the object's own record of writers. */
function lastWriter({ managedFields = [] }: ObjectMeta): Change['lastWriter'] {
  const [newest] = managedFields
    .filter(
      (entry) => entry.manager !== manager && entry.subresource === undefined && entry.time !== undefined,
    )
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))
  return newest && { manager: newest.manager ?? 'unknown', time: newest.time ?? '' }
}

/** Lists leave out `apiVersion` and `kind` of their items. */
function bodyOf(object: DesiredObject): Record<string, unknown> {
  return { ...object.object, apiVersion: undefined, kind: undefined }
}

/** Labels and annotations of ours that the file no longer asks for, such as the end of a grant. */
function staleNotes(object: DesiredObject, live: LiveObject): Difference[] {
  return (['labels', 'annotations'] as const).flatMap((field) => {
    const wanted = fieldsOf(fieldsOf(fieldsOf(object.object)['metadata'])[field])
    return Object.entries(live.metadata[field] ?? {})
      .filter(([key]) => key.startsWith('arena.dev/') && wanted[key] === undefined)
      .map(([key, value]) => ({ path: ['metadata', field, key], desired: undefined, live: value }))
  })
}

/** A volume whose claim was deleted still names it, by uid, and would never bind again. */
function staleClaim(object: DesiredObject, live: LiveObject, all: Live): Difference[] {
  if (object.type.kind !== 'PersistentVolume') return []
  const claimRef = fieldsOf(fieldsOf(live.object['spec'])['claimRef'])
  if (claimRef['uid'] === undefined) return []
  const claim = all.owned.get(
    `/persistentvolumeclaims|${String(claimRef['namespace'])}|${String(claimRef['name'])}`,
  )
  if (claim?.metadata.uid === claimRef['uid']) return []
  return ['uid', 'resourceVersion']
    .filter((name) => claimRef[name] !== undefined)
    .map((name) => ({ path: ['spec', 'claimRef', name], desired: undefined, live: claimRef[name] }))
}

function compareForeign(
  object: DesiredObject,
  live: LiveObject,
  options: Pick<PlanOptions, 'adopt'>,
): Change | Conflict {
  const { namespace = '' } = live
  if (live.metadata.deletionTimestamp !== undefined) {
    return conflict(object, 'is being deleted', 'wait until it is gone, then run this again')
  }
  const isNobodys = live.metadata.labels?.[labels.managedBy] === undefined
  if (!isNobodys) {
    return conflict(object, `exists and ${holderOf(live)}`, 'choose another name in the organisation file')
  }
  const found = differences(bodyOf(object), live.object, exactPaths)
  if (needsReplacement(object, live, found) !== 'update') {
    const place = namespace === '' ? '' : ` -n ${namespace}`
    return conflict(
      object,
      `exists, ${holderOf(live)}, and differs in fields that cannot be changed: ${found.map(describeDifference).join('; ')}`,
      `choose another name, or delete it yourself: kubectl delete ${object.type.plural} ${object.name}${place}`,
    )
  }
  if (options.adopt !== true) {
    return conflict(
      object,
      `exists and ${holderOf(live)}`,
      'choose another name, or take it over with --adopt',
    )
  }
  const surplus = found.filter((each) => each.desired === undefined).map((each) => each.path)
  return change('adopt', object, found.map(describeDifference), {
    uid: live.metadata.uid ?? '',
    ...(surplus.length > 0 && { surplus }),
  })
}

function conflict(object: DesiredObject, fact: string, hint: string): Conflict {
  const { type, name, namespace } = object
  return {
    type,
    name,
    ...(namespace !== undefined && { namespace }),
    message: `${nameOf(object)} ${fact}`,
    hint,
  }
}

/** Changes that take something from somebody. */
export function losses(plan: Pick<Plan, 'changes'>): string[] {
  return plan.changes.flatMap((each) => (each.loss === undefined ? [] : [each.loss]))
}
