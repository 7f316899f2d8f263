import {
  type KubeObject,
  type Persisted,
  type Pod,
  type ResourceQuota,
  WorkQueue,
  computeUsage,
  formatQuantity,
  keyOf,
  kinds,
  parseKey,
  parseQuantity,
  resourceOfQuotaKey,
} from '../../kube/index.ts'
import { type Controller, type ControllerContext, reconcile } from './controller.ts'

/** Changes come in bursts: a quota is counted at most once in this time, more rarely where counting takes long. */
const settleMs = 20
const restFactor = 20
/** What somebody else has written into a quota's status stays until all are counted anew, as in Kubernetes. */
const usualResyncMs = 5 * 60_000

/** Counts what a namespace uses of its quotas whenever something that counts goes away. Creates are charged by admission. */
export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  async run(context) {
    const { informers, served } = context
    const quotas = informers.of(kinds.resourceQuotas)
    const pods = informers.of(kinds.pods)
    const services = informers.of(kinds.services)
    const claims = informers.of(kinds.persistentVolumeClaims)
    const queue = new WorkQueue()
    const restUntil = new Map<string, number>()
    quotas.subscribe((change) => {
      const key = keyOf(change.object)
      if (change.type === 'DELETED') restUntil.delete(key)
      else if (change.type === 'ADDED' || isOutOfDate(change.previous, change.object)) queue.add(key)
    })
    function recount(namespace: string | undefined, resource: string): void {
      if (namespace === undefined) return
      for (const quota of quotas.inNamespace(namespace)) {
        const counts = Object.keys(quota.spec?.hard ?? {}).some((key) => resourceOfQuotaKey(key) === resource)
        if (!counts) continue
        const key = keyOf(quota)
        queue.addAfter(key, Math.max(settleMs, (restUntil.get(key) ?? 0) - performance.now()))
      }
    }
    await Promise.all([quotas.synced, pods.synced, services.synced, claims.synced, served.synced])
    pods.subscribe((change) => {
      const hasLeft =
        change.type === 'DELETED' ||
        (change.type === 'MODIFIED' && hasEnded(change.object) && !hasEnded(change.previous))
      if (hasLeft) recount(change.object.metadata.namespace, '/pods')
    })
    services.subscribe((change) => {
      if (change.type !== 'ADDED') recount(change.object.metadata.namespace, '/services')
    })
    claims.subscribe((change) => {
      if (change.type !== 'ADDED') recount(change.object.metadata.namespace, '/persistentvolumeclaims')
    })
    served.follow((resource, objects) => {
      const id = `${resource.group}/${resource.plural}`
      if (['/pods', '/services', '/persistentvolumeclaims'].includes(id)) return
      objects.subscribe((change) => {
        if (change.type === 'DELETED') recount(change.object.metadata.namespace, id)
      })
    })
    const resync = setInterval(() => {
      for (const quota of quotas.objects.values()) queue.add(keyOf(quota))
    }, context.settings.quotaResyncMs ?? usualResyncMs)
    resync.unref()
    context.signal.addEventListener('abort', () => clearInterval(resync), { once: true })
    await reconcile(
      context,
      queue,
      async (key) => {
        const quota = quotas.get(parseKey(key))
        if (quota === undefined) return
        const startedAt = performance.now()
        await update(context, quota)
        const now = performance.now()
        restUntil.set(key, now + (now - startedAt) * restFactor)
      },
      2,
    )
  },
}

async function update(context: ControllerContext, quota: Persisted<ResourceQuota>): Promise<void> {
  const { client, signal, now } = context
  const namespace = quota.metadata.namespace ?? ''
  const used = computeUsage(quota, (resource) => objectsOf(context, resource, namespace), now())
  const hard = Object.fromEntries(
    Object.entries(quota.spec?.hard ?? {}).map(([key, amount]) => [
      key,
      formatQuantity(parseQuantity(amount)),
    ]),
  )
  const isRight = isEqual(quota.status?.hard, hard) && isEqual(quota.status?.used, used)
  if (isRight) return
  // Without a version: in a busy namespace every charge would be a conflict, and nothing ever be given back. The server
  // counts again at the very write, so that no charge is lost.
  const { resourceVersion: _version, ...metadata } = quota.metadata
  await client.replace(
    kinds.resourceQuotas,
    { namespace, name: quota.metadata.name },
    { ...quota, metadata, status: { hard, used } },
    { subresource: 'status', signal },
  )
}

function objectsOf(
  context: ControllerContext,
  resource: string,
  namespace: string,
): Iterable<KubeObject> | undefined {
  const { informers, served } = context
  switch (resource) {
    case '/pods':
      return informers.of(kinds.pods).inNamespace(namespace) as Iterable<KubeObject>
    case '/services':
      return informers.of(kinds.services).inNamespace(namespace) as Iterable<KubeObject>
    case '/persistentvolumeclaims':
      return informers.of(kinds.persistentVolumeClaims).inNamespace(namespace) as Iterable<KubeObject>
    default: {
      const type = served.list().find(({ group, plural }) => `${group}/${plural}` === resource)
      if (type === undefined || !type.verbs.includes('watch')) return undefined
      return informers.identities(type).inNamespace(namespace)
    }
  }
}

/** Its own writing must not set it off again; admission's may, when only part has been counted yet. */
function isOutOfDate(before: Persisted<ResourceQuota>, after: Persisted<ResourceQuota>): boolean {
  if (!isEqual(before.spec?.hard, after.spec?.hard)) return true
  return Object.keys(after.spec?.hard ?? {}).some(
    (key) => resourceOfQuotaKey(key) !== undefined && after.status?.used?.[key] === undefined,
  )
}

function isEqual(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  const left = Object.entries(a ?? {})
  return left.length === Object.keys(b ?? {}).length && left.every(([key, value]) => b?.[key] === value)
}

function hasEnded(pod: Persisted<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}
