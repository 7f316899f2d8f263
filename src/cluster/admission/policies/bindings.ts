import type { Admission, ResourceDefinition } from '../../registry/index.ts'
import type { JsonObject, KubeObject } from '../../../kube/index.ts'
import { AuthorizerValue, type Bindings, fromJson, resourceCheck, type Value } from '../../cel/index.ts'
import type { AdmissionContext } from '../context.ts'
import { statedOptions } from './stated-options.ts'

/**
 * What every expression of every policy sees of one request. Made once, and only the parts that are asked for.
 *
 * @param seenAs as for {@link admissionRequest}.
 */
export function requestBindings(
  admission: Admission,
  { reader, authorize }: Pick<AdmissionContext, 'reader' | 'authorize'>,
  seenAs?: ResourceDefinition,
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
    request: once(() => fromJson(admissionRequest(admission, seenAs))),
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

/**
 * `admission.k8s.io/v1 AdmissionRequest` without its objects; what is empty is left out, as on the wire.
 *
 * @param seenAs the version of the resource in which the objects are shown; that of the request when left out.
 */
export function admissionRequest(admission: Admission, seenAs?: ResourceDefinition): JsonObject {
  const { request, operation } = admission
  const { user, resource, subresource, namespace, dryRun } = request
  const name = nameIn(admission)
  const isNamespace = resource.group === '' && resource.plural === 'namespaces'
  const place = namespace ?? (isNamespace ? name : undefined)
  return {
    kind: kindIn(admission, seenAs ?? resource),
    resource: resourceIn(seenAs ?? resource),
    ...(subresource !== undefined && { subResource: subresource }),
    requestKind: kindIn(admission, resource),
    requestResource: resourceIn(resource),
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
    options: statedOptions(admission) ?? null,
  }
}

/** The kind of the object that is decided about, which a subresource may have of its own: `Scale`, `PodExecOptions`. */
function kindIn({ request, object }: Admission, { group, version, kind }: ResourceDefinition): JsonObject {
  if (!object?.kind || object.kind === request.resource.kind) return { group, version, kind }
  const [first = '', second] = (object.apiVersion ?? '').split('/')
  return second === undefined
    ? { group: '', version: first, kind: object.kind }
    : { group: first, version: second, kind: object.kind }
}

function resourceIn({ group, version, plural }: ResourceDefinition): JsonObject {
  return { group, version, resource: plural }
}

function namespaceObject({ request }: Admission, namespace: KubeObject | undefined): unknown {
  if (namespace === undefined || (request.resource.group === '' && request.resource.plural === 'namespaces'))
    return null
  return { apiVersion: 'v1', kind: 'Namespace', ...namespace }
}
