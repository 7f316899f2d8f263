import type { Admission, Admitter } from '../registry/index.ts'
import { notFound } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { refused, resourceOf } from './refusal.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

// Answering these by the state of the namespace would tell strangers which namespaces exist.
const reviews = new Set(['authorization.k8s.io/localsubjectaccessreviews'])

/** Nothing is written into a namespace that is absent, nothing new into one that is going away. */
export function namespaceLifecycle({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  return {
    name: 'NamespaceLifecycle',
    mutate(admission: Admission): void {
      const { operation, request } = admission
      const resource = resourceOf(admission)
      if (resource === '/namespaces') {
        if (operation === 'DELETE' && request.subresource === undefined && immortal.has(request.name ?? '')) {
          throw refused(admission, 'this namespace may not be deleted')
        }
        return
      }
      const { namespace } = request
      if (namespace === undefined || operation === 'DELETE' || reviews.has(resource)) return
      const found = reader.get('/namespaces', undefined, namespace)
      if (found === undefined) throw notFound({ kind: 'namespaces', name: namespace })
      if (operation === 'CREATE' && isTerminating(found)) {
        throw refused(
          admission,
          `unable to create new content in namespace ${namespace} because it is being terminated`,
          [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${namespace} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        )
      }
    },
  }
}

function isTerminating(namespace: { readonly [field: string]: unknown }): boolean {
  const { status } = namespace
  return typeof status === 'object' && status !== null && 'phase' in status && status.phase === 'Terminating'
}
