import { type JsonObject, type KubeObject, WorkQueue, kinds } from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'

/** Tells in the status of admission policies which of their expressions cannot be right for the kinds they look at. */
export const policyStatusController: Controller = {
  name: 'validatingadmissionpolicy-status-controller',
  async run(context) {
    const { client, informers, settings, signal } = context
    const { policyWarnings } = settings
    if (policyWarnings === undefined) return
    const policies = informers.of(kinds.validatingAdmissionPolicies)
    await policies.synced
    const queue = new WorkQueue()
    policies.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
    })
    for (const policy of policies.objects.values()) queue.add(policy.metadata.name)
    await reconcile(
      context,
      queue,
      async (name) => {
        const policy = policies.get({ name })
        const generation = policy?.metadata.generation ?? 0
        if (policy === undefined || generation <= observed(policy)) return
        const expressionWarnings = policyWarnings(policy as unknown as KubeObject)
        // The version says which spec was looked at: of another one nothing has been observed.
        const patch: JsonObject = {
          metadata: { resourceVersion: policy.metadata.resourceVersion },
          status: {
            observedGeneration: generation,
            typeChecking: {
              expressionWarnings:
                expressionWarnings.length > 0 ? expressionWarnings.map((one) => ({ ...one })) : null,
            },
          },
        }
        await unlessGone(
          client.patch(
            kinds.validatingAdmissionPolicies,
            { name },
            { type: 'merge', patch },
            { subresource: 'status', signal },
          ),
        )
      },
      1,
    )
  },
}

function observed(policy: object): number {
  const { status } = policy as { status?: { observedGeneration?: number } }
  return status?.observedGeneration ?? 0
}
