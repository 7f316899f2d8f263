import type { KubeObject } from '../../../kube/index.ts'
import type { Registry, ResourceRequest } from '../../registry/index.ts'
import { isTrue, type ResourceTarget } from '../target.ts'

const kinds: Readonly<Record<string, string>> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
}

/** What admission sees of a stream to a pod; undefined when the path is none of such a stream. */
export function optionsKind({ group, plural, subresource = '' }: ResourceTarget): string | undefined {
  return group === '' && plural === 'pods' && Object.hasOwn(kinds, subresource)
    ? kinds[subresource]
    : undefined
}

/**
 * Runs admission for a stream to a pod. It comes before everything else about the pod.
 *
 * @throws {StatusError} what admission says.
 */
export async function admitConnect(
  registry: Registry,
  request: ResourceRequest,
  kind: string,
  query: URLSearchParams,
): Promise<void> {
  const ports = query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map(Number)
  const options: KubeObject = {
    kind,
    apiVersion: 'v1',
    metadata: {},
    ...(query.has('container') && { container: query.get('container') }),
    ...(query.has('command') && { command: query.getAll('command') }),
    ...(kind === kinds['portforward'] && ports.length > 0 && { ports: ports.filter(Number.isInteger) }),
    ...Object.fromEntries(
      ['stdin', 'stdout', 'stderr', 'tty']
        .filter((name) => isTrue(query.get(name)))
        .map((name) => [name, true]),
    ),
  }
  await registry.connect(request, options)
}
