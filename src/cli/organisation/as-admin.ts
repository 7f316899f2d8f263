import { UserError } from '../../errors.ts'
import { isStatus, type KubeClient } from '../../kube/index.ts'
import { type Org, type Plan, planOrg, type PlanOptions } from '../../tenancy/index.ts'

/**
 * Does what takes the rights of an admin, and says so to those who have not got them.
 *
 * @throws {UserError} `FORBIDDEN`
 */
export async function asAdmin<T>(
  what: 'change the organisation' | 'see all of the organisation' | 'make kubeconfigs of others',
  work: Promise<T>,
): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Error) || !isStatus(error, 'Forbidden')) throw error
    throw new UserError('FORBIDDEN', `only admins ${what}: ${error.message}`, {
      hint: "nothing was changed; take an admin's kubeconfig: --config FILE",
      cause: error,
    })
  }
}

/**
 * Plans a change of the organisation, for which one has to see all of the cluster.
 *
 * @throws {UserError} `FORBIDDEN` to those who may not
 */
export async function planAsAdmin(org: Org, client: KubeClient, options: PlanOptions): Promise<Plan> {
  return asAdmin('change the organisation', planOrg(org, client, options))
}
