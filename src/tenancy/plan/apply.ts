import { UserError } from '../../errors.ts'
import {
  isStatus,
  type JsonObject,
  type KubeClient,
  type KubeObject,
  type ObjectMeta,
  StatusError,
} from '../../kube/index.ts'
import { manager } from '../objects/ownership.ts'
import { type Change, keyOf, nameOf } from './change.ts'
import { at, isGone } from './live.ts'
import { isMadeMeanwhile } from './made-meanwhile.ts'

/** How one change went. */
export interface Outcome {
  readonly change: Change
  readonly result: 'done' | 'failed' | 'skipped'
  /** Why not. */
  readonly reason?: string
}

/** How far a run may go, and whom it tells. */
export interface ApplyOptions {
  /** Stops after the changes under way; what is left is skipped, and a next run does it. */
  readonly signal: AbortSignal
  /** Called once for each change that was tried, in the same order on every run however their answers come in. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Called as changes are made, ahead of {@link onOutcome} where an earlier change takes longer. */
  readonly onProgress?: (done: number) => void
  /** Changes under way at one time. Default 48: a server writes many to disk as fast as one. */
  readonly concurrency?: number
}

interface Step {
  readonly change: Change
  readonly stage: number
  run(context: Context): Promise<void>
}

interface Context {
  readonly client: KubeClient
  readonly options: ApplyOptions
  /** Volumes that were there before, whose claim may have to be forgotten. */
  readonly oldVolumes: ReadonlySet<string>
}

/**
 * Carries out the changes of a plan: rights that are lost first, then what must go to make room, then everything new,
 * in the order in which objects need each other. One change that fails does not stop the others. Can be stopped at any
 * point and run again from a new plan.
 */
export async function applyChanges(
  changes: readonly Change[],
  client: KubeClient,
  options: ApplyOptions,
): Promise<Outcome[]> {
  const outcomes = new Map<string, Outcome>()
  const fresh = new Set(
    changes
      .filter((each) => each.type.kind === 'PersistentVolume' && ['create', 'replace'].includes(each.action))
      .map((each) => each.name),
  )
  const oldVolumes = new Set(
    changes
      .filter((each) => each.type.kind === 'PersistentVolumeClaim' && !fresh.has(each.name))
      .map((each) => each.name),
  )
  const context: Context = { client, options, oldVolumes }
  const lostNamespaces = new Set<string>()
  const report = (outcome: Outcome): void => {
    outcomes.set(keyOf(outcome.change), outcome)
    options.onProgress?.(outcomes.size)
  }
  const steps = changes.flatMap(stepsOf)
  const lastStage = new Map<string, number>()
  for (const step of steps) {
    const key = keyOf(step.change)
    lastStage.set(key, Math.max(step.stage, lastStage.get(key) ?? 0))
  }
  for (const stage of [...new Set(steps.map((step) => step.stage))].sort((a, b) => a - b)) {
    const ready = steps.filter((step) => step.stage === stage && !outcomes.has(keyOf(step.change)))
    // A replacement reports in the last of its stages, unless an earlier one fails.
    const turns = ready.map((): 'waiting' | 'over' => 'waiting')
    let told = 0
    const tell = (): void => {
      for (; turns[told] === 'over'; told += 1) {
        const change = ready[told]?.change
        const outcome = change && outcomes.get(keyOf(change))
        if (outcome !== undefined) options.onOutcome?.(outcome)
      }
    }
    await eachBounded(ready, options.concurrency ?? 48, async ({ change, run }, index) => {
      await carryOut(change, run)
      turns[index] = 'over'
      tell()
    })
    async function carryOut(change: Change, run: Step['run']): Promise<void> {
      if (options.signal.aborted) return
      if (change.namespace !== undefined && lostNamespaces.has(change.namespace)) {
        return report({
          change,
          result: 'skipped',
          reason: `namespace ${change.namespace} could not be made`,
        })
      }
      try {
        await run(context)
        if (lastStage.get(keyOf(change)) === stage) report({ change, result: 'done' })
      } catch (error) {
        if (change.type.kind === 'Namespace') lostNamespaces.add(change.name)
        report({ change, result: 'failed', reason: reasonOf(error) })
      }
    }
  }
  for (const change of changes) {
    if (!outcomes.has(keyOf(change))) report({ change, result: 'skipped', reason: 'stopped before its turn' })
  }
  return changes.flatMap((change) => outcomes.get(keyOf(change)) ?? [])
}

function reasonOf(error: unknown): string {
  if (error instanceof StatusError || error instanceof UserError) return error.message
  throw error
}

/** Runs `work` for every item, at most `width` at a time; an unexpected error ends it. */
async function eachBounded<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      for (const [index, item] of queue) await work(item, index)
    }),
  )
}

const revoke = 0
const clearClaims = 1
const clearVolumes = 2
const removeFirst = 3
const holders = 4
const contents = 5
const bindings = 6
const removeLast = 7

function stepsOf(change: Change): Step[] {
  const remove = (stage: number): Step => ({ change, stage, run: (context) => removeObject(context, change) })
  const write = (stage: number): Step => ({ change, stage, run: (context) => writeObject(context, change) })
  const kind = change.type.kind
  const binds = kind === 'RoleBinding' || kind === 'ClusterRoleBinding'
  if (change.action === 'delete') {
    if (kind === 'Namespace' || kind === 'ClusterRole') return [remove(removeLast)]
    if (kind === 'PersistentVolumeClaim') return [remove(clearClaims)]
    if (kind === 'PersistentVolume') return [remove(clearVolumes)]
    // A role that is exchanged for another goes after the other has come, so that nobody is locked out in between.
    if (binds) return [remove(change.loss === undefined || change.isExchange === true ? removeLast : revoke)]
    return [remove(kind === 'ServiceAccount' ? revoke : removeFirst)]
  }
  const stage =
    kind === 'Namespace' || kind === 'ClusterRole' || kind === 'PersistentVolume'
      ? holders
      : binds
        ? bindings
        : contents
  if (change.action !== 'replace') return [write(stage)]
  const clear =
    kind === 'PersistentVolumeClaim' ? clearClaims : kind === 'PersistentVolume' ? clearVolumes : bindings
  return clear === bindings
    ? [
        {
          change,
          stage: bindings,
          run: async (context) => {
            await removeObject(context, change)
            await writeObject(context, change)
          },
        },
      ]
    : [remove(clear), write(stage)]
}

/** How long to wait for an object to go that is still in use. */
const longestDeletionMs = 30_000

async function removeObject({ client, options }: Context, change: Change): Promise<void> {
  try {
    await client.delete(change.type, at(change), {
      propagationPolicy: 'Background',
      // Whatever took its place meanwhile is not ours to delete.
      ...(change.uid !== undefined && { preconditions: { uid: change.uid } }),
    })
  } catch (error) {
    if (isStatus(error, 'NotFound')) return
    throw error
  }
  // What is only deleted may linger until the last job that uses it ends; what is made anew must be gone first.
  if (change.action !== 'replace') return
  const deadline = Date.now() + longestDeletionMs
  for (let pauseMs = 20; !(await isGone(client, change)); pauseMs = Math.min(pauseMs * 2, 1000)) {
    if (options.signal.aborted) throw new UserError('INTERRUPTED', `${nameOf(change)} is still being deleted`)
    if (Date.now() > deadline) {
      throw new UserError(
        'TIMEOUT',
        `${nameOf(change)} is marked for deletion but still in use by a running job`,
        {
          hint: 'end the job, then run this again',
        },
      )
    }
    await pause(pauseMs)
  }
}

async function pause(milliseconds: number): Promise<void> {
  const { setTimeout } = await import('node:timers/promises')
  await setTimeout(milliseconds)
}

async function writeObject(context: Context, change: Change): Promise<void> {
  const { client } = context
  if (change.object === undefined) return
  if (
    change.type.kind === 'PersistentVolumeClaim' &&
    context.oldVolumes.has(change.name) &&
    change.action !== 'update'
  ) {
    await forgetOldClaim(client, change)
  }
  if (change.action === 'create' || change.action === 'replace') {
    // Refused when somebody else made an object of the name since the plan: theirs is not to be taken.
    await client
      .create(change.type, asObject(change.object), { ...at(change), fieldManager: manager })
      .catch(async (error: unknown) => {
        if (!isStatus(error, 'AlreadyExists') || !(await isMadeMeanwhile(client, change))) throw error
      })
    return
  }
  // The plan has made sure that the object is ours or nobody's; a field that others set by hand is taken back.
  await client.patch(
    change.type,
    at(change),
    { type: 'apply', object: change.object },
    { fieldManager: manager, force: true },
  )
  if (change.surplus === undefined) return
  const patch: JsonObject = {}
  for (const path of change.surplus) setNull(patch, path)
  await client.patch(change.type, at(change), { type: 'merge', patch }, { fieldManager: manager })
}

/** What a client takes for creation: the object of a plan always has metadata. */
function asObject(object: object): KubeObject {
  return { ...object, metadata: { ...metadataOf(object) } }
}

function metadataOf(object: object): ObjectMeta {
  const metadata: unknown = Reflect.get(object, 'metadata')
  return typeof metadata === 'object' && metadata !== null ? metadata : {}
}

/** A retained volume still names the claim it had, by uid, and would not bind the new one. */
async function forgetOldClaim(client: KubeClient, claim: Change): Promise<void> {
  const volumes = {
    group: '',
    version: 'v1',
    plural: 'persistentvolumes',
    kind: 'PersistentVolume',
    namespaced: false,
  }
  try {
    await client.patch(
      volumes,
      { name: claim.name },
      { type: 'merge', patch: { spec: { claimRef: { uid: null, resourceVersion: null } } } },
      { fieldManager: manager },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
}

function setNull(root: JsonObject, path: readonly string[]): void {
  let holder = root
  for (const step of path.slice(0, -1)) {
    const next = holder[step]
    const inner: JsonObject = typeof next === 'object' && next !== null && !Array.isArray(next) ? next : {}
    holder[step] = inner
    holder = inner
  }
  holder[path.at(-1) ?? ''] = null
}
