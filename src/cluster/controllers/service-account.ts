import { WorkQueue, kinds } from '../../kube/index.ts'
import { type Controller, reconcile } from './controller.ts'

const accountName = 'default'

/** Gives every namespace its `default` service account, again when somebody deletes it. */
export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  async run(context) {
    const { client, informers, signal } = context
    const namespaces = informers.of(kinds.namespaces)
    const accounts = informers.of(kinds.serviceAccounts)
    const queue = new WorkQueue()
    namespaces.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
    })
    accounts.subscribe((change) => {
      const { name, namespace } = change.object.metadata
      if (change.type === 'DELETED' && name === accountName && namespace !== undefined) queue.add(namespace)
    })
    await accounts.synced
    await reconcile(context, queue, async (namespace) => {
      const phase = namespaces.get({ name: namespace })?.status?.phase
      if (phase !== 'Active' || accounts.get({ namespace, name: accountName }) !== undefined) return
      await client.create(
        kinds.serviceAccounts,
        { metadata: { name: accountName, namespace } },
        { namespace, signal },
      )
    })
  },
}
