import { type KubeClient, kinds } from '../kube/index.ts'
import { readable, reviewSelf, type Self } from './identity.ts'
import { userIdOf } from './labels.ts'

/** Who somebody is to the cluster. */
export interface WhoAmI extends Self {
  /** MD5 of the user name, the id that the original tool gives users. */
  readonly id: string
  /** May do everything in the cluster. */
  readonly isAdmin: boolean
}

/** Asks the server who is asking and whether that is an admin. */
export async function whoAmI(client: KubeClient, signal?: AbortSignal): Promise<WhoAmI> {
  const everything = { verb: '*', group: '*', resource: '*' }
  const [self, review] = await Promise.all([
    reviewSelf(client, signal),
    readable(
      client.create(
        kinds.selfSubjectAccessReviews,
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: everything },
        },
        signal === undefined ? {} : { signal },
      ),
    ),
  ])
  return { ...self, id: userIdOf(self.username), isAdmin: review?.status?.allowed === true }
}
