import type { FlowSchema, PriorityLevelConfiguration } from 'kubernetes-types/flowcontrol/v1.js'
import { isStatus, type KubeObject, timestamp } from '../kube/index.ts'
import { requestFor } from './bootstrap.ts'
import { follow, keepUp, makeOwn, type OwnParts, ownRequest } from './own-objects.ts'
import { prefixOf } from './registry/index.ts'
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from './registry/resources/flow-control/suggested.ts'
import { same } from './registry/validation/equality.ts'

const group = 'flowcontrol.apiserver.k8s.io'
const schemas = `${group}/flowschemas`
const levels = `${group}/prioritylevelconfigurations`
const producer = 'api-priority-and-fairness-config-producer-v1'
const consumer = 'api-priority-and-fairness-config-consumer-v1'
const autoupdate = 'apf.kubernetes.io/autoupdate-spec'

/**
 * Keeps the flow schemas and priority levels that every cluster has, and tells in the status of all flow schemas whether
 * the priority level that they name is there. They govern nothing here: `http/fairness.ts` does.
 */
export function keepFlowControl(parts: OwnParts): void {
  keepUp(parts, async () => {
    await ensureAll(parts)
    await settleAll(parts)
  })
  const settle = (): Promise<void> => settleAll(parts)
  for (const resource of [schemas, levels]) follow(parts, resource, { all: settle, at: settle })
}

async function ensureAll(parts: OwnParts): Promise<void> {
  await Promise.all(bootstrapPriorityLevels().map((level) => ensure(parts, { ...level })))
  const found = dangling(true, timestamp(parts.now()))
  const wanted = bootstrapFlowSchemas().map((schema) => ({
    ...schema,
    status: { conditions: [found(schema.spec.priorityLevelConfiguration.name)] },
  }))
  await Promise.all(wanted.map((schema) => ensure(parts, { ...schema })))
}

async function ensure(parts: OwnParts, object: KubeObject): Promise<void> {
  const request = ownRequest(parts, object, producer)
  if (!request) return
  try {
    const { value } = parts.registry.get(request)
    const isLeft = value.metadata.annotations?.[autoupdate] !== 'true'
    if (isLeft || same(value['spec'], specFor(value, object))) return
    await parts.registry.update(
      { ...request, verb: 'update' },
      { next: (live) => ({ ...live, spec: specFor(live, object) }) },
    )
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    await makeOwn(parts, object, producer)
  }
}

/** What a level without limits lends is for whoever runs the cluster to say. */
function specFor(live: KubeObject, wanted: KubeObject): object {
  const lent = (live as PriorityLevelConfiguration).spec?.exempt
  return { ...structuredClone((wanted as PriorityLevelConfiguration).spec), ...(lent && { exempt: lent }) }
}

/** Writes the status of those flow schemas whose status is not what it should be. */
async function settleAll(parts: OwnParts): Promise<void> {
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

async function settle(parts: OwnParts, schema: KubeObject, present: Set<string>): Promise<void> {
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
