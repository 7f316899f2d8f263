import type { ObjectMeta } from '../kube/index.ts'
import { desiredObjects } from './objects/desired.ts'
import type { Org } from './org.ts'
import { keyOf } from './plan/change.ts'
import { fieldsOf } from './plan/fields.ts'
import type { LiveObject } from './plan/live.ts'
import { comparePlan, type Plan } from './plan/plan.ts'

/** What would change if a cluster that is as `before` says were made as `after` says. Needs no cluster. */
export function diffOrgs(before: Org, after: Org, now: Date): Plan {
  const renamed: Org = { ...before, name: after.name }
  const owned = new Map<string, LiveObject>()
  for (const { type, name, namespace, labels, object } of desiredObjects(renamed, now)) {
    const notes = fieldsOf(fieldsOf(fieldsOf(object)['metadata'])['annotations'])
    const annotations = Object.fromEntries(Object.entries(notes).map(([key, value]) => [key, String(value)]))
    const metadata: ObjectMeta = { name, labels: { ...labels }, annotations, uid: 'before' }
    const live = {
      type,
      name,
      metadata,
      object: { ...object },
      ...(namespace !== undefined && { namespace }),
    }
    owned.set(keyOf(live), live)
  }
  return comparePlan(after, desiredObjects(after, now), { owned, foreign: new Map() }, { now })
}
