import { UserError } from '../../errors.ts'
import { isStatus, type KubeClient } from '../../kube/index.ts'
import { type Org, type Plan, planOrg, type PlanOptions } from '../../tenancy/index.ts'

/**
 * Plans a change of the organisation, for which one has to see all of the cluster.
 *
 * @throws {UserError} `FORBIDDEN` to those who may not
 */
export async function planAsAdmin(org: Org, client: KubeClient, options: PlanOptions): Promise<Plan> {
  try {
    return await planOrg(org, client, options)
  } catch (error) {
    if (!(error instanceof Error) || !isStatus(error, 'Forbidden')) throw error
    throw new UserError('FORBIDDEN', `only admins change the organisation: ${error.message}`, {
      hint: "nothing was changed; take an admin's kubeconfig: --config FILE",
      cause: error,
    })
  }
}
