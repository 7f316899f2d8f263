import type { Admission } from '../../registry/index.ts'
import type { JsonObject, KubeObject } from '../../../kube/index.ts'
import { AuthorizerValue, type Bindings, fromJson, resourceCheck, type Value } from '../../cel/index.ts'
import type { AdmissionContext } from '../context.ts'

/** What every expression of every policy sees of one request. Made once, and only the parts that are asked for. */
export function requestBindings(
  admission: Admission,
  { reader, authorize }: Pick<AdmissionContext, 'reader' | 'authorize'>,
): Bindings {
  const { request, object, oldObject } = admission
  const { user, namespace, resource, subresource } = request
  const authorizer = once(
    () =>
      new AuthorizerValue((question, account) =>
        authorize(
          account === undefined
            ? user
            : {
                name: `system:serviceaccount:${account.namespace}:${account.name}`,
                groups: [
                  'system:serviceaccounts',
                  `system:serviceaccounts:${account.namespace}`,
                  'system:authenticated',
                ],
              },
          question,
        ),
      ),
  )
  const name = nameIn(admission)
  return {
    object: fromJson(object ?? null),
    oldObject: fromJson(oldObject ?? null),
    request: once(() => fromJson(admissionRequest(admission))),
    namespaceObject: once(() =>
      fromJson(namespaceObject(admission, reader.get('/namespaces', undefined, namespace ?? ''))),
    ),
    authorizer,
    'authorizer.requestResource': () =>
      resourceCheck(authorizer(), {
        group: resource.group,
        resource: resource.plural,
        ...(subresource !== undefined && { subresource }),
        ...(namespace !== undefined && { namespace }),
        ...(name && { name }),
      }),
  }
}

function once<T extends Value>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

function nameIn({ request, object }: Admission): string {
  if (request.name) return request.name
  // A generated name is nothing that the user asked for.
  return object?.metadata?.generateName ? '' : (object?.metadata?.name ?? '')
}

/** `admission.k8s.io/v1 AdmissionRequest`; what is empty is left out, as on the wire. */
function admissionRequest(admission: Admission): JsonObject {
  const { request, operation, options } = admission
  const { user, resource, subresource, namespace, dryRun } = request
  const { group, version, kind, plural } = resource
  const asKind = { group, version, kind }
  const asResource = { group, version, resource: plural }
  const name = nameIn(admission)
  const isNamespace = group === '' && plural === 'namespaces'
  const place = namespace ?? (isNamespace ? name : undefined)
  return {
    kind: asKind,
    resource: asResource,
    ...(subresource !== undefined && { subResource: subresource }),
    requestKind: asKind,
    requestResource: asResource,
    ...(subresource !== undefined && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(place && { namespace: place }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra && {
        extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])),
      }),
    },
    dryRun,
    options: options ?? null,
  }
}

function namespaceObject({ request }: Admission, namespace: KubeObject | undefined): unknown {
  if (namespace === undefined || (request.resource.group === '' && request.resource.plural === 'namespaces'))
    return null
  return { apiVersion: 'v1', kind: 'Namespace', ...namespace }
}
