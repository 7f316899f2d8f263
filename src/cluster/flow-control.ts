import type { FlowSchema } from 'kubernetes-types/flowcontrol/v1.js'
import { isStatus, type KubeObject, timestamp } from '../kube/index.ts'
import { requestFor } from './bootstrap.ts'
import { type Catalog, prefixOf, type Registry } from './registry/index.ts'
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from './registry/resources/flow-control/suggested.ts'
import { same } from './registry/validation/equality.ts'
import { HistoryGone, type Store } from './storage/index.ts'

const group = 'flowcontrol.apiserver.k8s.io'
const schemas = `${group}/flowschemas`
const levels = `${group}/prioritylevelconfigurations`
const producer = 'api-priority-and-fairness-config-producer-v1'
const consumer = 'api-priority-and-fairness-config-consumer-v1'
const autoupdate = 'apf.kubernetes.io/autoupdate-spec'
const repairMs = 60_000

export interface FlowControlParts {
  readonly catalog: Catalog
  readonly registry: Registry
  readonly store: Store<KubeObject>
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  now(): number
  onFault(error: unknown): void
}

/**
 * Keeps the flow schemas and priority levels that every cluster has, and tells in the status of all flow schemas whether
 * the priority level that they name is there. They govern nothing here: `http/fairness.ts` does.
 */
export function keepFlowControl(parts: FlowControlParts): void {
  const { signal, onFault } = parts
  const tell = (error: unknown): void => {
    if (!signal.aborted) onFault(error)
  }
  ensureAll(parts).catch(tell)
  const timer = setInterval(() => void ensureAll(parts).catch(tell), repairMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  for (const resource of [schemas, levels]) follow(parts, resource).catch(tell)
}

async function ensureAll(parts: FlowControlParts): Promise<void> {
  const { catalog, registry } = parts
  await Promise.all(bootstrapPriorityLevels().map((level) => ensure(catalog, registry, level)))
  const found = dangling(true, timestamp(parts.now()))
  const wanted = bootstrapFlowSchemas().map((schema) => ({
    ...schema,
    status: { conditions: [found(schema.spec.priorityLevelConfiguration.name)] },
  }))
  await Promise.all(wanted.map((schema) => ensure(catalog, registry, schema)))
}

async function ensure(catalog: Catalog, registry: Registry, wanted: object): Promise<void> {
  const object = wanted as KubeObject
  const own = requestFor(catalog, object)
  if (!own) return
  // One write with its status, where two would do the same.
  const resource = { ...own.resource, keepsStatusOnCreate: true }
  const request = { ...own, resource, fieldManager: producer }
  try {
    const { value } = registry.get(request)
    if (value.metadata.annotations?.[autoupdate] !== 'true' || same(value['spec'], object['spec'])) return
    await registry.update(
      { ...request, verb: 'update' },
      { next: (live) => ({ ...live, spec: structuredClone(object['spec']) }) },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    try {
      await registry.create({ ...request, verb: 'create' }, structuredClone(object))
    } catch (race) {
      if (!isStatus(race, 'AlreadyExists')) throw race
    }
  }
}

async function follow(parts: FlowControlParts, resource: string): Promise<void> {
  const { store, signal } = parts
  while (!signal.aborted) {
    const after = store.revision
    await settleAll(parts)
    try {
      for await (const _changes of store.watch(prefixOf(resource, undefined), { after, signal }))
        await settleAll(parts)
    } catch (error) {
      if (!(error instanceof HistoryGone)) throw error
    }
  }
}

/** Writes the status of those flow schemas whose status is not what it should be. */
async function settleAll(parts: FlowControlParts): Promise<void> {
  const present = new Set<string>()
  for (const { value } of parts.store.scan(prefixOf(levels, undefined)))
    present.add(value.metadata.name ?? '')
  const stale: KubeObject[] = []
  for (const { value } of parts.store.scan(prefixOf(schemas, undefined))) {
    const { level, isFound } = stateOf(value)
    if (isFound !== present.has(level)) stale.push(value)
  }
  await Promise.all(stale.map((schema) => settle(parts, schema, present)))
}

function stateOf(object: object): { readonly level: string; readonly isFound: boolean | undefined } {
  const { spec, status } = object as FlowSchema
  const told = status?.conditions?.find(({ type }) => type === 'Dangling')?.status
  return {
    level: spec?.priorityLevelConfiguration.name ?? '',
    isFound: told === undefined ? undefined : told === 'False',
  }
}

async function settle(parts: FlowControlParts, schema: KubeObject, present: Set<string>): Promise<void> {
  const { name = '' } = schema.metadata
  const request = requestFor(parts.catalog, {
    apiVersion: `${group}/v1`,
    kind: 'FlowSchema',
    metadata: { name },
  })
  if (!request) return
  try {
    await parts.registry.update(
      { ...request, verb: 'update', subresource: 'status', fieldManager: consumer },
      {
        next(live) {
          const { level } = stateOf(live)
          const others = ((live as FlowSchema).status?.conditions ?? []).filter(
            ({ type }) => type !== 'Dangling',
          )
          const condition = dangling(present.has(level), timestamp(parts.now()))(level)
          return { ...live, status: { conditions: [...others, { ...condition }] } }
        },
      },
    )
  } catch (error) {
    // Whoever deleted or changed it meanwhile made an event of it.
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
  }
}

/** The condition of a flow schema that names a priority level which is there, or is not. */
function dangling(isFound: boolean, now: string): (level: string) => Readonly<Record<string, string>> {
  return (level) => ({
    type: 'Dangling',
    status: isFound ? 'False' : 'True',
    lastTransitionTime: now,
    reason: isFound ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named "${level}" ${isFound ? 'and it exists' : 'but there is no such object'}`,
  })
}
