import { compareQuantities } from '../../kube/index.ts'
import type { DesiredObject } from '../objects/desired.ts'
import { labels } from '../objects/ownership.ts'
import { nameOf } from './change.ts'
import type { Difference } from './difference.ts'
import type { LiveObject } from './live.ts'
import { accessOf } from './meaning.ts'

/** Below these, whatever the live object has in addition is taken away. */
export const exactPaths = ['spec.hard'] as const

// Kubernetes refuses changes of these, or would only feign them.
const fixedFields: Readonly<Record<string, RegExp>> = {
  RoleBinding: /^roleRef(\.|$)/,
  ClusterRoleBinding: /^roleRef(\.|$)/,
  PersistentVolume: /^spec\.(nfs|csi|hostPath)(\.|$)/,
  PersistentVolumeClaim: /^spec\.(accessModes|storageClassName|volumeName)(\.|$)/,
}

/** Can the differences be mended in place? `impossible` when only the loss of data would do. */
export function needsReplacement(
  object: DesiredObject,
  live: LiveObject,
  found: readonly Difference[],
): 'update' | 'replace' | 'impossible' {
  const fixed = fixedFields[object.type.kind]
  if (fixed !== undefined && found.some((each) => fixed.test(each.path.join('.')))) return 'replace'
  const shrinks = found.some(
    (each) =>
      each.path.join('.') === 'spec.resources.requests.storage' &&
      compareQuantities(String(each.desired), String(each.live)) < 0,
  )
  return shrinks && isDynamic(live) ? 'impossible' : 'update'
}

/** What is lost by an object that is made anew. */
export function replacementLoss(object: DesiredObject, live: LiveObject): string {
  const anew = `${nameOf(object)} is made anew; jobs that use it must end first`
  if (object.type.kind !== 'PersistentVolumeClaim') return anew
  const data = isDynamic(live) ? ', and its storage class may delete the data' : ''
  const isNarrowed = accessOf(object.object) === 'reading' && accessOf(live.object) !== 'reading'
  if (!isNarrowed) return `${anew}${data}`
  const volume = object.labels[labels.volume] ?? object.name
  return `${object.labels[labels.group]} may only read volume ${volume} from now on; jobs that use it must end first${data}`
}

/**
 * A claim of a volume made by hand keeps the size it was made with: Kubernetes lets only claims of a storage class grow.
 * The volume itself carries the new size.
 */
export function withLiveClaimSize(object: DesiredObject, live: LiveObject): DesiredObject {
  if (object.type.kind !== 'PersistentVolumeClaim' || isDynamic(live)) return object
  const size = pick(live.object, ['spec', 'resources', 'requests', 'storage'])
  const spec = pick(object.object, ['spec'])
  if (typeof size !== 'string' || typeof spec !== 'object' || spec === null) return object
  const resources = { requests: { storage: size } }
  return { ...object, object: { ...object.object, spec: { ...spec, resources } } }
}

function isDynamic(claim: LiveObject): boolean {
  return Boolean(pick(claim.object, ['spec', 'storageClassName']))
}

function pick(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
