import { keyOf, kinds, labelSelectorOf, matchesLabels, parseKey, WorkQueue } from '../../../kube/index.ts'
import { type Controller, reconcile } from '../controller.ts'
import { claimPods, controllerOf } from '../replicas/adoption.ts'
import { syncRevisions } from '../revisions/revisions.ts'
import { ordinalOf, type Owner, ownKind, type SetPod } from './pods.ts'
import { Round } from './round.ts'

const revised = { type: kinds.statefulSets, ownKind, hashLabel: 'controller.kubernetes.io/hash' }

/** Keeps the pods of stateful sets: each with its number, its name and its volumes. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  async run(context) {
    const owners = context.informers.of(kinds.statefulSets)
    const pods = context.informers.of(kinds.pods)
    const revisions = context.informers.of(kinds.controllerRevisions)
    await Promise.all([owners.synced, pods.synced, revisions.synced])
    const queue = new WorkQueue()
    owners.subscribe(({ type, object }) => {
      if (type !== 'DELETED') queue.add(keyOf(object))
    })
    pods.subscribe(({ object }) => {
      const namespace = object.metadata.namespace ?? ''
      const ref = controllerOf(object)
      if (ref?.kind === ownKind.kind) queue.add(`${namespace}/${ref.name}`)
      if (ref !== undefined) return
      for (const owner of owners.inNamespace(namespace)) if (fits(owner, object)) queue.add(keyOf(owner))
    })
    await reconcile(
      context,
      queue,
      async (key) => {
        const owner = owners.get(parseKey(key))
        if (owner === undefined) return undefined
        const namespace = owner.metadata.namespace ?? ''
        const mine = await claimPods(context, revised, owner, pods.inNamespace(namespace), (pod) =>
          fits(owner, pod),
        )
        if (owner.metadata.deletionTimestamp !== undefined) return undefined
        const known = await syncRevisions(context, revised, owner, revisions.inNamespace(namespace))
        return new Round(context, owner, known, mine).run()
      },
      4,
    )
  },
}

function fits(owner: Owner, { metadata }: SetPod): boolean {
  const selector = owner.spec ? labelSelectorOf(owner.spec.selector) : []
  const isNamed = ordinalOf(owner, metadata.name) !== undefined
  return isNamed && selector.length > 0 && matchesLabels(selector, metadata.labels)
}
